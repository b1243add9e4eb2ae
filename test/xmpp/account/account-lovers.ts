import type { PrimaryWay } from '../../../src/xmpp/account/server-way.ts';
import { childElement, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { bare, Verona, type VeronaPeer } from '../routing/verona.ts';
import { PlayedServer } from './played-server.ts';

export const JULIET = 'juliet@capulet.lit';
export const ROMEO = 'romeo@montague.lit';

/** Two peers with an account each at one server, logged in, and not connected in the overlay. */
export function lovers(primary: PrimaryWay) {
  const verona = new Verona();
  const server = new PlayedServer(primary);
  verona.server = server;
  const romeo = verona.peer(ROMEO);
  const juliet = verona.peer(JULIET);
  const orchard = romeo.client('orchard');
  const balcony = juliet.client('balcony');
  for (const peer of [romeo, juliet]) server.of(peer).comes();
  verona.settle();
  server.sent.length = 0;
  balcony.gets();
  orchard.gets();
  return { verona, server, romeo, juliet, orchard, balcony };
}

export function chat(to: string, text: string, inside = '', id = text): string {
  const body = `<body>${text}</body>`;
  return `<message type="chat" to="${to}" id="${id}">${body}${inside}</message>`;
}

/** The overlay has looked for the devices of an address and reached none. */
export function unreached(peer: VeronaPeer, address: string): void {
  peer.turn(() => peer.router.addressTried(bare(address), 0, 0, 'nobody is there'));
  peer.settle();
}

export function waits(peer: VeronaPeer): number {
  return peer.keys('outbox/').length;
}

/** Of the mark that it came by a server. */
export function serverOf(message: XmppElement): string | undefined {
  const mark = childElement(message, 'came-by-server', 'urn:xmpp-over-reload:server-path:0');
  return mark?.attributes.get('server');
}
