import { createHash, randomBytes, sign } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { StoredIdentity } from '../../src/host/identity-file.ts';
import { linkTlsOptions } from '../../src/host/links/link-credentials.ts';
import { overlayHash } from '../../src/storage/resource-name.ts';
import { messageCoveredBytes } from '../../src/tls-auth/message-signature.ts';
import { signedInput } from '../../src/tls-auth/signed-input.ts';
import { encode } from '../../src/wire/codec.ts';
import { FramedMessage } from '../../src/wire/framed-message.ts';
import { encodeMessage } from '../../src/wire/message.ts';
import { MessageContents } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import {
  HashAlgorithm,
  SecurityBlock,
  SignatureAlgorithm,
  type SignerIdentity,
} from '../../src/wire/security-block.ts';
import { messageSamples, sampleHeader } from '../wire/message-samples.ts';
import { LOOPBACK } from './authority-fixture.ts';

/** Repeatable pseudo-random numbers: mulberry32. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  one<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)];
    if (chosen === undefined) throw new RangeError('nothing to choose from');
    return chosen;
  }

  /** A copy of `bytes` with a few of them changed. */
  mutated(bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice();
    for (let left = 1 + this.below(8); left > 0; left--) {
      copy[this.below(copy.length)] = this.below(256);
    }
    return copy;
  }
}

/** A connection of an attacker: what comes back is read and thrown away. */
export class HostileConnection {
  private readonly socket: Socket;
  private readonly closed: Promise<void>;

  static tcp(port: number): Promise<HostileConnection> {
    return HostileConnection.opened(connectTcp({ host: LOOPBACK, port }), 'connect');
  }

  /** Without `identity` the attacker shows no certificate. */
  static tls(port: number, identity?: StoredIdentity): Promise<HostileConnection> {
    const shown = identity === undefined ? {} : linkTlsOptions(identity, []);
    const options = { ...shown, host: LOOPBACK, port, rejectUnauthorized: false };
    return HostileConnection.opened(connectTls(options), 'secureConnect');
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => socket.destroy());
    socket.resume();
  }

  private static opened(socket: Socket, event: string): Promise<HostileConnection> {
    const connection = new HostileConnection(socket);
    return new Promise((resolve, reject) => {
      socket.once(event, () => resolve(connection));
      socket.once('close', () => reject(new Error(`the peer refused before ${event}`)));
    });
  }

  get isClosed(): boolean {
    return this.socket.destroyed;
  }

  /** True when the bytes left; false when the peer has closed. */
  send(bytes: Uint8Array): Promise<boolean> {
    if (this.isClosed) return Promise.resolve(false);
    const written = new Promise<boolean>((resolve) => {
      this.socket.write(bytes, (error) => resolve(error === undefined || error === null));
    });
    return Promise.race([written, this.closed.then(() => false)]);
  }

  /** Waits for anything from the peer, an ack at least, so that frames do not end in a dead link. */
  async heard(withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let hear: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      hear = resolve;
      this.socket.once('data', hear);
      this.socket.once('close', hear);
      timer = setTimeout(resolve, withinMs);
    });
    clearTimeout(timer);
    if (hear === undefined) return;
    this.socket.off('data', hear);
    this.socket.off('close', hear);
  }

  /** True when the peer closes in time. */
  async closedByPeer(withinMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), withinMs);
    });
    const result = await Promise.race([this.closed.then(() => true), patience]);
    clearTimeout(timer);
    return result;
  }

  abort(): Promise<void> {
    this.socket.destroy();
    return this.closed;
  }
}

/** A frame, and whether it must end the link that carries it. */
export interface HostileFrame {
  readonly bytes: Uint8Array;
  readonly endsLink: boolean;
}

/** Frames that a member of the overlay sends to harm the peer `target`. */
export class HostileMember {
  private readonly identity: StoredIdentity;
  private readonly target: NodeId;
  private readonly configurationSequence: number;
  private readonly dice: Dice;
  private frameCount = 0;

  constructor(
    identity: StoredIdentity,
    target: { nodeId: NodeId; configurationSequence: number },
    dice: Dice,
  ) {
    this.identity = identity;
    this.target = target.nodeId;
    this.configurationSequence = target.configurationSequence;
    this.dice = dice;
  }

  next(): HostileFrame {
    const { dice } = this;
    switch (dice.below(40)) {
      case 0:
        // Longer than any message may be: refused by its length, before it has come.
        return { bytes: Uint8Array.of(128, 0, 0, 0, 1, 0xff, 0xff, 0xff), endsLink: true };
      case 1:
        return { bytes: Uint8Array.of(dice.below(128), ...dice.bytes(40)), endsLink: true };
      default:
        return { bytes: this.frame(this.message()), endsLink: false };
    }
  }

  private message(): Uint8Array {
    const { dice } = this;
    const { code, body } = dice.one(messageSamples);
    switch (dice.below(6)) {
      case 0:
        return dice.mutated(this.signed(code, body));
      case 1: {
        const whole = this.signed(code, body);
        return whole.subarray(0, dice.below(whole.length));
      }
      case 2:
        return this.signed(code, dice.bytes(dice.below(300)));
      case 3:
        return this.signed(dice.below(65_536), dice.bytes(dice.below(300)));
      case 4:
        return dice.bytes(dice.below(600));
      default:
        return this.signed(code, body.length === 0 ? body : dice.mutated(body));
    }
  }

  /** A message whose signature is true, so that it goes as deep as it can. */
  private signed(code: number, body: Uint8Array): Uint8Array {
    const contents = encode(MessageContents, { code, body, extensions: [] });
    const overlay = overlayHash('xmpp.org');
    const transactionId = randomBytes(8).readBigUInt64BE();
    const { certificateDer, privateKey, chain } = this.identity;
    const hashAlgorithm = HashAlgorithm.sha256;
    const hash = createHash('sha256').update(certificateDer).digest();
    const identity: SignerIdentity = { type: 'certHash', hashAlgorithm, hash };
    const covered = messageCoveredBytes(overlay, transactionId, contents);
    const isEcdsa = privateKey.asymmetricKeyType === 'ec';
    const block = encode(SecurityBlock, {
      certificates: chain.map((certificate) => ({ type: 0, certificate })),
      signature: {
        hashAlgorithm,
        signatureAlgorithm: isEcdsa ? SignatureAlgorithm.ecdsa : SignatureAlgorithm.rsa,
        identity,
        value: sign('sha256', signedInput(covered, identity), privateKey),
      },
    });
    const header = {
      ...sampleHeader,
      overlay,
      transactionId,
      configurationSequence: this.configurationSequence,
      viaList: [],
      destinationList: [{ type: 'node', nodeId: this.target } as const],
    };
    return encodeMessage(header, contents, block);
  }

  private frame(message: Uint8Array): Uint8Array {
    this.frameCount += 1;
    return encode(FramedMessage, { type: 'data', sequence: this.frameCount, message });
  }
}
