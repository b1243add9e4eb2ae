import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ScramClient,
  type ScramClientOptions,
  ScramRefusal,
} from '../../../src/xmpp/sasl/scram-client.ts';
import { scramCredential } from '../../../src/xmpp/sasl/scram-keys.ts';
import { ScramServer, type ScramServerOptions } from '../../../src/xmpp/sasl/scram-server.ts';
import type { ScramCredential } from '../../../src/xmpp/xmpp-input.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../../src/xmpp-address/jid.ts';
import { PrecisFault } from '../../../src/xmpp-address/precis-fault.ts';
import '../../fast-check-seed.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const SALT = new Uint8Array(Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'));
const CLIENT_NONCE = 'rOprNGfwEbeRWgbNEkqO';
const SERVER_NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const NO_BINDINGS: ReadonlyMap<string, Uint8Array> = new Map();
const BINDINGS = new Map([
  ['tls-exporter', new Uint8Array([1, 2, 3])],
  ['tls-server-end-point', new Uint8Array([4, 5, 6])],
]);

function jid(text: string): Jid {
  const parsed = parseJid(text);
  if (parsed instanceof AddressFault) throw new Error(`no address: ${text}`);
  return parsed;
}

function credentialOf(password: string): ScramCredential {
  const credential = scramCredential(password, SALT, 4_096);
  if (credential instanceof PrecisFault) throw new Error(credential.reason);
  return credential;
}
const CREDENTIAL = credentialOf('pencil');

const server = (options: Partial<ScramServerOptions> = {}) =>
  new ScramServer({
    mechanism: 'SCRAM-SHA-256',
    user: jid('user@montague.lit'),
    credential: CREDENTIAL,
    bindings: NO_BINDINGS,
    nonce: SERVER_NONCE,
    ...options,
  });

const client = (options: Partial<ScramClientOptions> = {}) =>
  new ScramClient({
    username: 'user',
    password: 'pencil',
    nonce: CLIENT_NONCE,
    binding: { type: 'impossible' },
    ...options,
  });

/** Both through one handshake: the server's last word, or the client's refusal. */
function handshake(ofServer: ScramServer, ofClient: ScramClient): string {
  const challenge = ofServer.respond(ofClient.firstMessage());
  if (challenge.type !== 'challenge') return conditionOf(challenge);
  const final = ofClient.finalMessage(challenge.data);
  if (final instanceof ScramRefusal) return final.reason;
  const outcome = ofServer.respond(final);
  if (outcome.type !== 'success') return conditionOf(outcome);
  return ofClient.verify(outcome.data ?? utf8(''))?.reason ?? `success ${outcome.user}`;
}

function conditionOf(step: ReturnType<ScramServer['respond']>): string {
  return step.type === 'failure' ? step.condition : step.type;
}

describe('RFC 7677 §3: the example', () => {
  test('both ends send exactly these messages', () => {
    const ofServer = server();
    const ofClient = client();
    expect(textOf(ofClient.firstMessage())).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    const challenge = ofServer.respond(ofClient.firstMessage());
    if (challenge.type !== 'challenge') throw new Error(challenge.type);
    expect(textOf(challenge.data)).toBe(
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    );
    const final = ofClient.finalMessage(challenge.data);
    if (final instanceof ScramRefusal) throw new Error(final.reason);
    expect(textOf(final)).toBe(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
        'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    );
    const outcome = ofServer.respond(final);
    if (outcome.type !== 'success') throw new Error(outcome.type);
    expect(outcome.user).toBe('user@montague.lit');
    expect(textOf(outcome.data)).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(ofClient.verify(outcome.data ?? utf8(''))).toBeUndefined();
  });
});

describe('who logs in', () => {
  test('RFC 6120 §6.3.7: the localpart, or the whole bare JID, prepared before it is compared', () => {
    for (const username of ['user', 'USER', 'user@montague.lit', 'User@MONTAGUE.lit']) {
      expect(handshake(server(), client({ username }))).toBe('success user@montague.lit');
    }
    for (const username of ['juliet', 'user@capulet.lit', 'user@montague.lit/x', 'montague.lit']) {
      expect(handshake(server(), client({ username }))).toBe('not-authorized');
    }
  });

  test('RFC 5802 §5.1: a name with comma and equals sign is written with =2C and =3D', () => {
    const user = jid('a=b,c@montague.lit');
    expect(textOf(client({ username: 'a=b,c' }).firstMessage())).toMatch(/^n,,n=a=3Db=2Cc,/);
    expect(handshake(server({ user }), client({ username: 'a=b,c' }))).toMatch(/^success/);
    expect(conditionOf(server({ user }).respond(utf8('n,,n=a=b,r=x')))).toBe('malformed-request');
  });

  test('RFC 8265 §4.2: the password is prepared with OpaqueString', () => {
    const credential = credentialOf('correct\u3000horse e\u0301');
    expect(handshake(server({ credential }), client({ password: 'correct horse é' }))).toMatch(
      /^success/,
    );
    expect(scramCredential('', SALT, 4_096)).toBeInstanceOf(PrecisFault);
    expect(scramCredential('a\u0007', SALT, 4_096)).toBeInstanceOf(PrecisFault);
  });

  test('RFC 6120 §6.5.10: a user who does not exist fails like a wrong password', () => {
    const salts = ['user', 'mercutio', 'mercutio', 'tybalt'].map((username) => {
      const step = server().respond(client({ username }).firstMessage());
      if (step.type !== 'challenge') throw new Error(step.type);
      return /s=([^,]+)/.exec(textOf(step.data))?.[1] ?? '';
    });
    expect(new Set(salts.map(({ length }) => length)).size).toBe(1);
    expect(salts[1]).toBe(salts[2]);
    expect(new Set(salts).size).toBe(3);
    const wrongPassword = server();
    const unknownUser = server();
    expect(handshake(wrongPassword, client({ password: 'pencils' }))).toBe('not-authorized');
    expect(handshake(unknownUser, client({ username: 'mercutio' }))).toBe('not-authorized');
  });

  test('RFC 6120 §6.3.8: an authorization identity is the own bare JID or refused', () => {
    const withIdentity = (identity: string) => {
      const ofClient = client();
      Object.assign(ofClient, { gs2Header: `n,a=${identity},` });
      return handshake(server(), ofClient);
    };
    expect(withIdentity('user@montague.lit')).toMatch(/^success/);
    for (const identity of ['juliet@capulet.lit', 'user', 'user@montague.lit/x']) {
      expect(withIdentity(identity)).toBe('invalid-authzid');
    }
  });
});

describe('RFC 5802 §6: channel binding', () => {
  const bound = (name: 'tls-exporter' | 'tls-server-end-point', data: readonly number[]) =>
    client({ binding: { type: 'bound', name, data: new Uint8Array(data) } });
  const plus = () => server({ mechanism: 'SCRAM-SHA-256-PLUS', bindings: BINDINGS });

  test('succeeds where both ends see the same TLS connection', () => {
    expect(handshake(plus(), bound('tls-exporter', [1, 2, 3]))).toMatch(/^success/);
    expect(handshake(plus(), bound('tls-server-end-point', [4, 5, 6]))).toMatch(/^success/);
  });

  test('fails where somebody is in between', () => {
    expect(handshake(plus(), bound('tls-exporter', [9, 2, 3]))).toBe('not-authorized');
    expect(handshake(plus(), bound('tls-exporter', [4, 5, 6]))).toBe('not-authorized');
    expect(handshake(plus(), bound('tls-server-end-point', []))).toBe('not-authorized');
  });

  test('the flag y is refused where binding was offered: the offer was taken out on the way', () => {
    const y = { binding: { type: 'not-offered' } } as const;
    expect(handshake(server({ bindings: BINDINGS }), client(y))).toBe('not-authorized');
    expect(handshake(server(), client(y))).toMatch(/^success/);
  });

  test('flag and mechanism go together, and the type is one of those that are there', () => {
    expect(handshake(server({ bindings: BINDINGS }), client())).toMatch(/^success/);
    expect(handshake(plus(), client())).toBe('not-authorized');
    expect(handshake(server({ bindings: BINDINGS }), bound('tls-exporter', [1, 2, 3]))).toBe(
      'not-authorized',
    );
    const first = utf8('p=tls-unique,,n=user,r=x');
    expect(conditionOf(plus().respond(first))).toBe('not-authorized');
    const bindings = new Map([['tls-unique', new Uint8Array([7])]]);
    const unique = server({ mechanism: 'SCRAM-SHA-256-PLUS', bindings });
    expect(conditionOf(unique.respond(first))).toBe('challenge');
  });
});

describe('RFC 5802 §7: messages', () => {
  const firsts: [what: string, message: string | Uint8Array][] = [
    ['nothing', ''],
    ['no GS2 header', 'n=user,r=x'],
    ['another flag', 'x,,n=user,r=x'],
    ['§5.1: a mandatory extension', 'n,,m=1,n=user,r=x'],
    ['§5.1: a mandatory extension behind the nonce', 'n,,n=user,r=x,m=1'],
    ['no nonce', 'n,,n=user'],
    ['an empty nonce', 'n,,n=user,r='],
    ['a nonce with a blank', 'n,,n=user,r=a b'],
    ['a nonce that does not end', `n,,n=user,r=${'x'.repeat(513)}`],
    ['no name', 'n,,n=,r=x'],
    ['no UTF-8', new Uint8Array([0x6e, 0x2c, 0x2c, 0x6e, 0x3d, 0xff, 0x2c, 0x72, 0x3d, 0x78])],
    ['too many bytes', 'n,,n=user,r=x,'.padEnd(9_000, 'y=z,')],
  ];
  test.each(firsts)('a client-first-message is refused: %s', (_what, message) => {
    const bytes = typeof message === 'string' ? utf8(message) : message;
    expect(conditionOf(server().respond(bytes))).toBe('malformed-request');
  });

  const nonce = `${CLIENT_NONCE}${SERVER_NONCE}`;
  const proof = 'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
  const finals: [what: string, condition: string, message: string][] = [
    ['another nonce', 'not-authorized', `c=biws,r=${nonce}x,${proof}`],
    ['only the own nonce', 'not-authorized', `c=biws,r=${CLIENT_NONCE},${proof}`],
    ['another channel binding', 'not-authorized', `c=eSws,r=${nonce},${proof}`],
    ['a short proof', 'not-authorized', `c=biws,r=${nonce},p=dHzb`],
    ['no proof', 'malformed-request', `c=biws,r=${nonce}`],
    ['base64 with white space', 'malformed-request', `c=bi ws,r=${nonce},${proof}`],
    ['base64 without its end', 'malformed-request', `c=biws,r=${nonce},${proof.slice(0, -1)}`],
    ['a mandatory extension', 'malformed-request', `c=biws,r=${nonce},m=1,${proof}`],
  ];
  test.each(finals)('a client-final-message is refused: %s (%s)', (_what, condition, message) => {
    const ofServer = server();
    ofServer.respond(client().firstMessage());
    expect(conditionOf(ofServer.respond(utf8(message)))).toBe(condition);
    expect(conditionOf(ofServer.respond(utf8(message)))).toBe('malformed-request');
  });

  test('§5.1: optional extensions are passed over', () => {
    const first = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO,x=1,y=2=3';
    expect(conditionOf(server().respond(utf8(first)))).toBe('challenge');
  });

  const challenges: [what: string, message: string][] = [
    ['RFC 7677 §3: too few iterations', `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095`],
    ['RFC 5802 §9: too many iterations', `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=100000000`],
    ['a nonce that is not the own one', `r=x${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
    ['a nonce that is only the own one', `r=${CLIENT_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
    ['a mandatory extension', `m=1,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
    ['no salt', `r=${nonce},i=4096`],
  ];
  test.each(challenges)('a client refuses a challenge: %s', (_what, message) => {
    expect(client().finalMessage(utf8(message))).toBeInstanceOf(ScramRefusal);
  });

  test('§3: a client believes no server that does not know the password', () => {
    const ofClient = client();
    expect(ofClient.verify(utf8('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))).toBeDefined();
    const challenge = server().respond(ofClient.firstMessage());
    if (challenge.type !== 'challenge') throw new Error(challenge.type);
    ofClient.finalMessage(challenge.data);
    for (const last of [
      'v=AAAA',
      'e=other-error',
      '',
      'v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    ]) {
      expect(ofClient.verify(utf8(last))).toBeInstanceOf(ScramRefusal);
    }
    expect(ofClient.verify(utf8('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))).toBeUndefined();
  });

  test('any bytes are answered, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 80 }), (a, b) => {
        const ofServer = server();
        expect(ofServer.respond(a).type).toBe('failure');
        const begun = server();
        begun.respond(client().firstMessage());
        expect(begun.respond(b).type).toBe('failure');
        expect(client().finalMessage(a)).toBeInstanceOf(ScramRefusal);
      }),
    );
  });

  test('a changed bit anywhere in the exchange is no success', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2, 3), fc.nat(1_000), fc.nat(7), (which, at, bit) => {
        const flip = (message: Uint8Array, index: number) => {
          if (index !== which) return message;
          return message.map((byte, i) => (i === at % message.length ? byte ^ (1 << bit) : byte));
        };
        const ofServer = server();
        const ofClient = client();
        const challenge = ofServer.respond(flip(ofClient.firstMessage(), 0));
        if (challenge.type !== 'challenge') return;
        const final = ofClient.finalMessage(flip(challenge.data, 1));
        if (final instanceof ScramRefusal) return;
        const outcome = ofServer.respond(flip(final, 2));
        if (outcome.type !== 'success') return;
        expect(ofClient.verify(flip(outcome.data ?? utf8(''), 3))).toBeInstanceOf(ScramRefusal);
      }),
      { numRuns: 60 },
    );
  });
});
