import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IssuerChain } from '../../ca/issuance-lint.ts';
import { toPem } from '../links/link-credentials.ts';
import { writeAtomic } from '../state/state-directory.ts';
import { AuthorityFailure } from './authority-failure.ts';
import { AUTHORITY_KEYS } from './authority-keys.ts';

/** The certificates above and of the authority in `directory`. Throws AuthorityFailure. */
export async function readHierarchy(
  directory: string,
  kind: 'root' | 'subordinate',
): Promise<IssuerChain> {
  const [root, ...others] = certificatesOf(
    await readFile(join(directory, AUTHORITY_KEYS.root.certificate), 'utf8'),
  );
  if (root === undefined || others.length > 0) {
    throw new AuthorityFailure(`${directory} has no root certificate; restore it from a backup`);
  }
  if (kind === 'root') return { chain: [], root };
  const pem = await readFile(join(directory, AUTHORITY_KEYS.authority.certificate), 'utf8');
  return { chain: certificatesOf(pem), root };
}

/** What an authority below another one is made complete with; its own certificate comes last. */
export async function writeHierarchy(directory: string, issuer: IssuerChain): Promise<void> {
  const { chain, root } = issuer;
  await writeAtomic(join(directory, AUTHORITY_KEYS.root.certificate), toPem(root));
  const pem = chain.map(toPem).join('');
  await writeAtomic(join(directory, AUTHORITY_KEYS.authority.certificate), pem);
}

/** The certificates in a text, DER. Throws AuthorityFailure for a block that is none. */
export function certificatesOf(pem: string): Uint8Array[] {
  try {
    return (pem.match(CERTIFICATE_BLOCK) ?? []).map(
      (block) => new Uint8Array(new X509Certificate(block).raw),
    );
  } catch (cause) {
    throw new AuthorityFailure('a certificate cannot be read; is the file damaged?', { cause });
  }
}

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
