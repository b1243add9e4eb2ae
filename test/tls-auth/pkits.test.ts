import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { type BatchVerdict, verifyBatch } from '../../src/cli/certificate-batch.ts';

/** NIST's Public Key Interoperability Test Suite, half of it; beside the repository. */
const folder = new URL('../../../shared/vectors/pkits/', import.meta.url);
const isThere = existsSync(new URL('manifest.json', folder));

interface PkitsCase {
  readonly name: string;
  readonly number: string;
  readonly certs: readonly string[];
  readonly crls: readonly string[];
  readonly shouldValidate: boolean;
  /** Names of policies, with commas; absent is anyPolicy. */
  readonly initialPolicySet?: string;
  readonly initialExplicitPolicy?: boolean;
  readonly initialPolicyMappingInhibit?: boolean;
  readonly initialInhibitAnyPolicy?: boolean;
  /** Names of policies, with commas; absent is NIST-test-policy-1. */
  readonly userConstrainedPolicySet?: string;
}

interface PkitsManifest {
  readonly validationTime: string;
  readonly tests: readonly PkitsCase[];
}

const manifest: PkitsManifest = isThere
  ? JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8'))
  : { validationTime: '', tests: [] };

/** What a case needs that this program does not have. */
function beyondScope({ number }: PkitsCase): 'DSA' | undefined {
  if (/^4\.1\.[456]$/.test(number)) return 'DSA';
  return undefined;
}

function certificate(name: string): string {
  return readFileSync(new URL(`certs/${name}.crt`, folder)).toString('base64');
}

/** Object identifiers of the policies `NIST-test-policy-n`. */
function policiesOf(names: string): string[] {
  const numbers = names.split(',').filter((name) => name !== '');
  return numbers.map((name) => name.replace('NIST-test-policy-', '2.16.840.1.101.3.2.1.48.'));
}

function revocationList(name: string): string {
  return readFileSync(new URL(`crls/${name}.crl`, folder)).toString('base64');
}

function verdictOf(one: PkitsCase): BatchVerdict {
  const [anchor = '', ...others] = one.certs.map(certificate);
  const document = {
    cases: [
      {
        id: one.name,
        anchors: [anchor],
        chain: others.toReversed(),
        time: manifest.validationTime,
        crls: one.crls.map(revocationList),
        revocation: 'require',
        initialPolicies: policiesOf(one.initialPolicySet ?? ''),
        explicitPolicy: one.initialExplicitPolicy ?? false,
        inhibitPolicyMapping: one.initialPolicyMappingInhibit ?? false,
        inhibitAnyPolicy: one.initialInhibitAnyPolicy ?? false,
        profile: 'pkix',
      },
    ],
  };
  const verdicts = verifyBatch(JSON.stringify(document), 0);
  const verdict = typeof verdicts === 'string' ? undefined : verdicts[0];
  if (verdict === undefined) throw new Error(String(verdicts));
  return verdict;
}

describe('PKITS: RFC 5280 §6.1 and §6.3', () => {
  if (!isThere) test.skip('skipped: ../shared/vectors/pkits is not there', () => undefined);
  const counts = { right: 0, undecided: 0 };

  for (const one of manifest.tests) {
    const scope = beyondScope(one);
    const title = `${one.number} ${one.name}`;

    if (scope === undefined) {
      test(title, () => {
        const verdict = verdictOf(one);
        expect(verdict.valid, verdict.detail).toBe(one.shouldValidate);
        const isAboutPolicies = /^4\.(8|9|10|11|12)\./.test(one.number);
        if (verdict.valid && isAboutPolicies) {
          const expected = policiesOf(one.userConstrainedPolicySet ?? 'NIST-test-policy-1');
          const [, found = ''] = verdict.detail.split('; policies ');
          expect(found.split(', ').toSorted().join()).toBe(expected.toSorted().join());
        }
        counts.right++;
      });
    } else {
      test(`${title}: decided rightly, or refused for ${scope}`, () => {
        const { valid, reason, detail } = verdictOf(one);
        if (valid === one.shouldValidate) {
          counts.right++;
          return;
        }
        counts.undecided++;
        expect(valid, 'nothing invalid is accepted').toBe(false);
        expect(reason, detail).toBe('signature-algorithm');
      });
    }
  }

  afterAll(() => {
    const total = manifest.tests.length;
    console.info(`PKITS: ${counts.right} of ${total} right, ${counts.undecided} undecided`);
  });
});
