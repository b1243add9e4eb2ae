/**
 * Wireshark as an oracle: one message of every code, framed by the real encoder, must say to
 * Wireshark what it says to us.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dissectLine, isFault } from '../../src/cli/message-dissection.ts';
import { encode } from '../../src/wire/codec.ts';
import { FramedMessage } from '../../src/wire/framed-message.ts';
import { toHex } from '../../src/wire/hex.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { areInstalled } from '../installed-programs.ts';
import { messageOf, messageSamples } from './message-samples.ts';
import { agrees, type Facts, factsOfDissection, factsOfJson } from './wireshark-facts.ts';

const isInstalled = spawnSync('tshark', ['--version']).status === 0;

const frames = messageSamples.map((sample, sequence) =>
  encode(FramedMessage, { type: 'data', sequence, message: messageOf(sample) }),
);

describe('RFC 6940 as Wireshark reads it', () => {
  if (!areInstalled({ tshark: isInstalled })) return;
  const dissections = dissect(frames);

  test('there is a message of every code', () => {
    const codes = new Set(messageSamples.map(({ code }) => code));
    expect(codes).toEqual(new Set(Object.values(MessageCode)));
    expect(dissections).toHaveLength(frames.length);
  });

  for (const [i, { name }] of messageSamples.entries()) {
    test(`${name}: Wireshark finds the values that were encoded`, () => {
      const text = dissections[i] ?? '';
      expect(complaintsIn(text)).toEqual([]);
      const json = dissectLine(toHex(frames[i] ?? new Uint8Array(0)));
      if (isFault(json)) throw new Error(JSON.stringify(json));
      compare(factsOfDissection(text), factsOfJson(json));
    });
  }

  test('it sees a length that is wrong', () => {
    const frame = (frames[0] ?? new Uint8Array(0)).slice();
    // The list length of the ProbeReq, behind frame, header, code and body length.
    frame[8 + 74 + 6] = 9;
    expect(complaintsIn(dissect([frame]).join(''))).not.toEqual([]);
  });
});

/** The text of each frame's dissection, in their order. */
function dissect(datagrams: readonly Uint8Array[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'tshark-test-'));
  try {
    const text = join(folder, 'frames.txt');
    const capture = join(folder, 'frames.pcap');
    const dumps = datagrams.map((bytes) => `000000 ${toHex(bytes).replace(/../g, '$& ')}\n\n`);
    writeFileSync(text, dumps.join(''));
    run('text2pcap', ['-q', '-u', '6084,6084', text, capture]);
    const location = 'uat:reload_kindids:"5","XMPP-LOCATION","DICTIONARY"';
    const output = run('tshark', ['-r', capture, '-o', location, '-O', 'reload,reload-framing']);
    return output.split(/^Frame \d+:.*$/m).slice(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) return result.stdout;
  throw new Error(`${command} failed with ${result.status}: ${result.stderr}`);
}

/** What Wireshark calls wrong, without what it is itself mistaken about. */
function complaintsIn(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => /Expert Info \((Error|Warning)|Malformed|Unreassembled/.test(line))
    .filter((line) => !line.includes('Unknown identity type'))
    .map((line) => line.trim());
}

function compare(stated: Facts, ours: Facts): void {
  expect(stated.size).toBeGreaterThan(10);
  for (const [fact, values] of stated) {
    const found = ours.get(fact) ?? [];
    const equal = values.map((value, i) => (agrees(value, found[i] ?? '') ? found[i] : value));
    expect({ [fact]: found }).toEqual({ [fact]: equal });
  }
}
