import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { type BatchVerdict, verifyBatch } from '../../src/cli/certificate-batch.ts';

/** Half of x509-limbo's cases; beside the repository. */
const file = new URL('../../../shared/vectors/limbo/limbo.json', import.meta.url);
const isThere = existsSync(file);

interface LimboCase {
  readonly id: string;
  /** Belongs to the RFC 5280 core; the others test the rules of the Web's authorities. */
  readonly core: boolean;
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly expected_result: 'SUCCESS' | 'FAILURE';
  readonly extended_key_usage: readonly string[];
  readonly expected_peer_name: { readonly kind: string; readonly value: string } | null;
  readonly max_chain_depth: number | null;
  /** PEM; few cases have any. */
  readonly crls: readonly string[];
}

const cases: readonly LimboCase[] = isThere ? JSON.parse(readFileSync(file, 'utf8')).testcases : [];

/** A moment at which the cases without a time of their own are meant to be judged. */
const NOW_UNIX_MS = Date.UTC(2026, 2, 1);

function verdictOf(one: LimboCase): BatchVerdict {
  const [purpose] = one.extended_key_usage;
  const name = one.expected_peer_name;
  const kinds: Readonly<Record<string, string>> = { DNS: 'dns', IP: 'ip', RFC822: 'email' };
  const document = {
    cases: [
      {
        id: one.id,
        anchors: one.trusted_certs,
        chain: [one.peer_certificate, ...one.untrusted_intermediates],
        crls: one.crls,
        revocation: one.crls.length > 0 ? 'require' : 'off',
        profile: 'pkix',
        ...(one.validation_time === null ? {} : { time: one.validation_time }),
        ...(one.max_chain_depth === null ? {} : { depthMax: one.max_chain_depth }),
        ...(purpose === undefined ? {} : { purpose }),
        ...(name === null ? {} : { peerName: { kind: kinds[name.kind], value: name.value } }),
      },
    ],
  };
  const verdicts = verifyBatch(JSON.stringify(document), NOW_UNIX_MS);
  const verdict = typeof verdicts === 'string' ? undefined : verdicts[0];
  if (verdict === undefined) throw new Error(String(verdicts));
  return verdict;
}

describe('x509-limbo: the RFC 5280 core', () => {
  if (!isThere) test.skip('skipped: ../shared/vectors/limbo is not there', () => undefined);

  for (const one of cases.filter(({ core }) => core)) {
    test(one.id, () => {
      const verdict = verdictOf(one);
      expect(verdict.reason).not.toBe('bad-case');
      expect(verdict.valid, verdict.detail).toBe(one.expected_result === 'SUCCESS');
    });
  }
});

describe('x509-limbo: real chains of the Web', () => {
  for (const one of cases.filter(({ id }) => id.startsWith('online::'))) {
    test(one.id, () => {
      expect(verdictOf(one).valid).toBe(true);
    });
  }
});

afterAll(() => {
  const isRight = (one: LimboCase) => verdictOf(one).valid === (one.expected_result === 'SUCCESS');
  const core = cases.filter(({ core }) => core);
  const others = cases.filter(({ core }) => !core);
  console.info(
    `x509-limbo: core ${core.filter(isRight).length} of ${core.length}, ` +
      `others ${others.filter(isRight).length} of ${others.length}`,
  );
  const wrong = others.filter((one) => !isRight(one)).map(({ id }) => id);
  console.info(`others that we judge differently: ${wrong.join(', ')}`);
});
