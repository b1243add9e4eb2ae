import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  type ComponentInput,
  type ComponentOutput,
  ComponentStream,
} from '../../../src/xmpp/component/component-stream.ts';
import type { XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';

/**
 * Whoever has taken an authority's place at the server: a component (XEP-0114) that answers what a
 * test wants.
 */
export class HostileComponent {
  readonly received: XmppElement[] = [];
  private readonly stream: ComponentStream;
  private readonly socket: Socket;
  private readonly answer: (stanza: XmppElement) => readonly XmppElement[];
  private attached: () => void = () => undefined;

  static async attach(
    place: { readonly jid: string; readonly secret: string; readonly port: number },
    answer: (stanza: XmppElement) => readonly XmppElement[],
  ): Promise<HostileComponent> {
    const component = new HostileComponent(place, answer);
    onTestFinished(() => component.vanish());
    await new Promise<void>((resolve) => {
      component.attached = resolve;
      component.do({ type: 'start' });
    });
    return component;
  }

  private constructor(
    { jid, secret, port }: { readonly jid: string; readonly secret: string; readonly port: number },
    answer: (stanza: XmppElement) => readonly XmppElement[],
  ) {
    this.stream = new ComponentStream({ jid, secret });
    this.answer = answer;
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (data) =>
      this.do({ type: 'received', bytes: new Uint8Array(Buffer.from(data)) }),
    );
  }

  /** Its connection is gone from one moment to the next. */
  vanish(): void {
    this.socket.destroy();
  }

  private do(input: ComponentInput): void {
    for (const output of this.stream.handle(input, performance.now())) this.perform(output);
  }

  private perform(output: ComponentOutput): void {
    if (output.type === 'connect')
      this.socket.once('connect', () => this.do({ type: 'connected' }));
    else if (output.type === 'write') this.socket.write(output.text);
    else if (output.type === 'attached') this.attached();
    else if (output.type === 'stanza') {
      this.received.push(output.stanza);
      for (const stanza of this.answer(output.stanza)) this.do({ type: 'send', stanza });
    }
  }
}
