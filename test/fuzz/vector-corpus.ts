import { existsSync, readFileSync } from 'node:fs';
import { certificatesInText } from '../../src/tls-auth/certificate-file.ts';
import type { FuzzCorpus } from './fuzz-corpus.ts';

/** Test vectors beside the repository; whoever has none mutates the generated corpus alone. */
const folder = new URL('../../../shared/vectors/', import.meta.url);

/** The corpus, and with it the chains, lists and requests of the vectors that are there. */
export function withVectors(corpus: FuzzCorpus): FuzzCorpus {
  const pkits = pkitsTests();
  return {
    ...corpus,
    chains: [...corpus.chains, ...pkits.map(({ chain }) => chain), ...limboChains()],
    lists: [...corpus.lists, ...pkits.flatMap(({ lists }) => lists)],
    requests: [...corpus.requests, ...xep0417Request()],
  };
}

interface PkitsManifest {
  readonly tests: readonly {
    readonly certs: readonly string[];
    readonly crls: readonly string[];
  }[];
}

function pkitsTests() {
  const { tests } = readJson<PkitsManifest>('pkits/manifest.json') ?? { tests: [] };
  return tests.map(({ certs, crls }) => ({
    chain: certs.map((name) => readBytes(`pkits/certs/${name}.crt`)).toReversed(),
    lists: crls.map((name) => readBytes(`pkits/crls/${name}.crl`)),
  }));
}

interface LimboDocument {
  readonly testcases: readonly {
    readonly peer_certificate: string;
    readonly untrusted_intermediates: readonly string[];
    readonly trusted_certs: readonly string[];
  }[];
}

/** Those with one root: a chain ends with it. */
function limboChains(): Uint8Array[][] {
  const { testcases } = readJson<LimboDocument>('limbo/limbo.json') ?? { testcases: [] };
  return testcases
    .filter(({ trusted_certs }) => trusted_certs.length === 1)
    .map(({ peer_certificate, untrusted_intermediates, trusted_certs }) =>
      [peer_certificate, ...untrusted_intermediates, ...trusted_certs].flatMap(
        (pem) => certificatesInText(pem) ?? [],
      ),
    );
}

function xep0417Request(): Uint8Array[] {
  const path = 'xep-0417/request.der';
  return existsSync(new URL(path, folder)) ? [readBytes(path)] : [];
}

function readBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, folder)));
}

function readJson<T>(path: string): T | undefined {
  const url = new URL(path, folder);
  return existsSync(url) ? (JSON.parse(readFileSync(url, 'utf8')) as T) : undefined;
}
