import { parseUtcTime } from '../../overlay-config/date-time.ts';
import { DATA_FORM_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import { formToFill, submittedForm } from './data-form.ts';
import type { MessageArchive } from './message-archive.ts';
import { delayElement, FORWARD_NAMESPACE, STANZA_ID_NAMESPACE } from './message-rules.ts';
import { type Page, pageElement, pageOf, pageRequest, RESULT_SET_NAMESPACE } from './result-set.ts';
import { type RoutingContext, sendBack } from './routing-context.ts';
import type { FeatureRegistry, IqAnswer, IqRequest } from './routing-feature.ts';
import { ARCHIVE_PAGE_MAX } from './routing-limits.ts';
import type { ArchiveRecord } from './routing-records.ts';
import { elementOfText } from './stanza-text.ts';

/** Which messages are wanted (XEP-0313 §4.1). */
interface ArchiveFilter {
  /** A bare or full JID. */
  readonly with: string | undefined;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
}

/** XEP-0313: the user's clients read the archive. */
export class ArchiveService {
  private readonly context: RoutingContext;
  private readonly archive: MessageArchive;

  constructor(context: RoutingContext, archive: MessageArchive) {
    this.context = context;
    this.archive = archive;
  }

  register(registry: FeatureRegistry): void {
    registry.disco('account', [
      ARCHIVE_NAMESPACE,
      STANZA_ID_NAMESPACE,
      DATA_FORM_NAMESPACE,
      RESULT_SET_NAMESPACE,
    ]);
    registry.iq(ARCHIVE_NAMESPACE, (request, answer) => {
      const { origin, payload, target, type } = request;
      if (origin.type !== 'client' || target !== 'account') {
        answer.error('service-unavailable', 'an archive is for the clients of its user');
      } else if (payload.name !== 'query') {
        answer.error('feature-not-implemented', 'everything is archived; there are no preferences');
      } else if (type === 'get') {
        answer.result([element('query', ARCHIVE_NAMESPACE, {}, [FORM])]);
      } else this.query(request, answer);
    });
  }

  private query(request: IqRequest, answer: IqAnswer): void {
    const { payload } = request;
    const filter = this.filterOf(payload);
    if (typeof filter === 'string') return answer.error('bad-request', filter);
    const wanted = pageRequest(payload, ARCHIVE_PAGE_MAX);
    if (wanted === undefined) return answer.error('bad-request', '"max" is a number');
    const page = pageOf(
      this.matching(filter),
      wanted,
      PAGE_CHARACTERS_MAX,
      ({ stanza = '' }) => stanza.length,
    );
    if (page === undefined) {
      return answer.error('item-not-found', 'the message at which the page begins is not there');
    }
    for (const entry of page.items) this.sendResult(request, entry);
    answer.result([finished(page)]);
  }

  private filterOf(query: XmppElement): ArchiveFilter | string {
    const fields = submittedForm(query, ARCHIVE_NAMESPACE);
    const text = (name: string) => fields?.get(name)?.[0];
    const times = [text('start'), text('end')].map((time) => time && parseUtcTime(time));
    const [start, end] = times;
    const isGiven = (name: string, time: unknown) => text(name) === undefined || time !== undefined;
    if (!isGiven('start', start) || !isGiven('end', end)) return 'a time is as in XEP-0082, in UTC';
    const other = text('with');
    const address = other === undefined ? undefined : this.context.addresses.parseIfValid(other);
    if (other !== undefined && address === undefined) return '"with" is an address';
    return {
      with: address?.text,
      startUnixMs: typeof start === 'number' ? start : 0,
      endUnixMs: typeof end === 'number' ? end : Number.MAX_SAFE_INTEGER,
    };
  }

  /** The archive is bounded, so going through it is. */
  private matching(filter: ArchiveFilter): ArchiveRecord[] {
    const found: ArchiveRecord[] = [];
    for (const entry of this.archive.all()) {
      if (entry.stanza !== undefined && isWanted(entry, filter)) found.push(entry);
    }
    return found;
  }

  private sendResult(request: IqRequest, entry: ArchiveRecord): void {
    const message = entry.stanza === undefined ? undefined : elementOfText(entry.stanza);
    if (message === undefined) return;
    const forwarded = element('forwarded', FORWARD_NAMESPACE, {}, [
      delayElement(undefined, entry.unixMs),
      message,
    ]);
    const queryid = request.payload.attributes.get('queryid');
    const result = element('result', ARCHIVE_NAMESPACE, { queryid, id: entry.id }, [forwarded]);
    const attributes = { from: this.context.own.bare, to: request.from.text };
    const stanza = element('message', CLIENT_NAMESPACE, attributes, [result]);
    sendBack(this.context, request.origin, stanza);
  }
}

function isWanted(entry: ArchiveRecord, filter: ArchiveFilter): boolean {
  if (entry.unixMs < filter.startUnixMs || entry.unixMs > filter.endUnixMs) return false;
  if (filter.with === undefined || filter.with === entry.with) return true;
  if (!filter.with.startsWith(`${entry.with}/`)) return false;
  const { attributes } = elementOfText(entry.stanza ?? '') ?? { attributes: new Map() };
  return attributes.get('from') === filter.with || attributes.get('to') === filter.with;
}

function finished(page: Page<ArchiveRecord>): XmppElement {
  const complete = page.isComplete ? 'true' : undefined;
  return element('fin', ARCHIVE_NAMESPACE, { complete }, [pageElement(page)]);
}

/** Of one page as it is kept: a client must not be cut off for reading it too slowly. */
const PAGE_CHARACTERS_MAX = 512 * 1024;
const ARCHIVE_NAMESPACE = 'urn:xmpp:mam:2';
const FORM = formToFill(ARCHIVE_NAMESPACE, {
  with: 'jid-single',
  start: 'text-single',
  end: 'text-single',
});
