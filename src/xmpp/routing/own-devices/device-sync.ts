import { createHash } from 'node:crypto';
import type { NodeId } from '../../../wire/node-id.ts';
import type { Device } from '../../direct/direct-streams.ts';
import { CLIENT_NAMESPACE } from '../../stanza/stanza.ts';
import {
  childElement,
  childElements,
  element,
  writeElement,
  type XmppElement,
} from '../../stanza/xmpp-element.ts';
import { sizeFault, sizeOf } from '../message-size.ts';
import type { PeerRequests } from '../peer-requests.ts';
import { type RoutingContext, sendToDevices } from '../routing-context.ts';
import type { FeatureRegistry, IqAnswer, IqRequest } from '../routing-feature.ts';
import {
  SYNC_AGAIN_MS,
  SYNC_PAGE_BYTES_MAX,
  SYNC_PAGE_ELEMENTS_MAX,
  SYNC_PAGE_ENTRIES_MAX,
  SYNC_PAGES_MAX,
} from '../routing-limits.ts';
import { SYNC_NAMESPACE, type SynchronizedPart, syncElement } from './synchronized-part.ts';

/**
 * Catching up between the own devices of a user (XEP-0415 §6.2 says what each of them gets, and
 * nothing of those that are off). Whenever one connects it is asked, page by page, for what it has
 * and this one lacks; it does the same. Changes are told as they happen.
 */
export class DeviceSync {
  private readonly context: RoutingContext;
  private readonly requests: PeerRequests;
  private readonly parts: readonly SynchronizedPart[];
  /** Own devices with a stream, and how often each was asked for a page since it came. */
  private readonly pages = new Map<NodeId, number>();

  constructor(context: RoutingContext, requests: PeerRequests, parts: readonly SynchronizedPart[]) {
    this.context = context;
    this.requests = requests;
    this.parts = parts;
  }

  register(registry: FeatureRegistry): void {
    registry.listen({
      deviceConnected: (device) => {
        if (device.user === this.context.own.bare) this.begin(device);
      },
      deviceLost: ({ nodeId }) => {
        this.pages.delete(nodeId);
        this.context.environment.cancelDeadline(deadlineKey(nodeId));
      },
    });
    registry.iq(SYNC_NAMESPACE, (request, answer) => this.answer(request, answer));
  }

  /** To all own devices that are connected; the others learn of it when they come. */
  tell(part: string, entries: readonly XmppElement[]): void {
    const { environment, own } = this.context;
    const change = syncElement('change', { part }, entries);
    if (sizeFault(change) !== undefined) return;
    const id = Buffer.from(environment.random.bytes(ID_BYTES)).toString('base64url');
    const attributes = { type: 'set', id, from: own.bare, to: own.bare };
    sendToDevices(this.context, own.bare, element('iq', CLIENT_NAMESPACE, attributes, [change]));
  }

  private begin(device: Device): void {
    this.pages.set(device.nodeId, 0);
    this.context.environment.setDeadline(deadlineKey(device.nodeId), SYNC_AGAIN_MS, () =>
      this.begin(device),
    );
    this.beginPart(device, 0);
  }

  private beginPart(device: Device, index: number): void {
    const part = this.parts[index];
    if (part !== undefined) this.ask(device, index, part.positionAt(device.nodeId), part.digest());
  }

  private ask(
    device: Device,
    index: number,
    after: string | undefined,
    digest: string | undefined,
  ): void {
    const part = this.parts[index];
    const pages = this.pages.get(device.nodeId);
    if (part === undefined || pages === undefined || pages >= SYNC_PAGES_MAX) return;
    this.pages.set(device.nodeId, pages + 1);
    const wanted = syncElement('get', { part: part.name, after, digest });
    this.requests.ask(device, 'get', wanted, (answer) => {
      const page = childElement(answer, 'page', SYNC_NAMESPACE);
      const last = page?.attributes.get('last');
      // A device without this part has nothing to tell of it.
      if (page === undefined || last === undefined) return this.beginPart(device, index + 1);
      const isLast = page.attributes.get('complete') === 'true';
      part.take(device.nodeId, childElements(page), last, () => {
        if (isLast) this.beginPart(device, index + 1);
        else this.ask(device, index, last, undefined);
      });
    });
  }

  private answer(request: IqRequest, answer: IqAnswer): void {
    const { origin, payload, type } = request;
    const part = this.parts.find(({ name }) => name === payload.attributes.get('part'));
    if (origin.type !== 'device' || !origin.isOwn) {
      answer.error('service-unavailable', 'only own devices of the user ask each other');
    } else if (part === undefined) {
      answer.error('item-not-found', 'there is no such part here');
    } else if (type === 'set') {
      part.take(origin.device.nodeId, childElements(payload), '', () => answer.result());
    } else {
      const digest = payload.attributes.get('digest');
      const isSame = digest !== undefined && digest === part.digest();
      answer.result([isSame ? syncElement('same', {}) : pageOf(part, payload)]);
    }
  }
}

/** What equals where two devices have the same entries. */
export function digestOf(part: Pick<SynchronizedPart, 'entries'>): string {
  const hash = createHash('sha256');
  for (const entry of part.entries()) {
    const shown = entry.element();
    if (shown !== undefined) hash.update(writeElement(shown));
  }
  return hash.digest('base64url');
}

/** As many entries behind `after` as a page holds; from the first one on if that is gone. */
function pageOf(part: SynchronizedPart, wanted: XmppElement): XmppElement {
  const after = wanted.attributes.get('after');
  let page = new Page();
  for (const entry of part.entries()) {
    if (entry.key === after) page = new Page();
    else page.add(entry.key, entry.element);
  }
  return syncElement(
    'page',
    { last: page.last ?? after ?? '', complete: page.isFull ? undefined : 'true' },
    page.entries,
  );
}

class Page {
  readonly entries: XmppElement[] = [];
  /** The key up to which it reaches. */
  last: string | undefined;
  /** Something found no place. */
  isFull = false;
  private bytes = 0;
  private elements = 0;

  add(key: string, shown: () => XmppElement | undefined): void {
    if (this.isFull) return;
    const entry = shown();
    const size = entry === undefined ? { bytes: 0, elements: 0 } : sizeOf(entry);
    const isFull =
      this.bytes + size.bytes > SYNC_PAGE_BYTES_MAX ||
      this.elements + size.elements > SYNC_PAGE_ELEMENTS_MAX ||
      this.entries.length >= SYNC_PAGE_ENTRIES_MAX;
    // What is larger than a page goes alone.
    if (isFull && this.entries.length > 0) {
      this.isFull = true;
      return;
    }
    this.last = key;
    // What no stream takes stays here.
    if (entry === undefined || sizeFault(entry) !== undefined) return;
    this.entries.push(entry);
    this.bytes += size.bytes;
    this.elements += size.elements;
  }
}

function deadlineKey(device: NodeId): string {
  return `routing-own-device ${device}`;
}

const ID_BYTES = 9;
