import type { Certificate } from './certificate.ts';
import type { DistributionPoint } from './certificate-extension.ts';
import type { ValidPath } from './path-validation.ts';
import type { RevocationList } from './revocation-list.ts';

/** A certificate whose revocation a list from some URL is to tell. */
export interface ListAsker {
  readonly certificate: Certificate;
  readonly point: DistributionPoint;
  /** The path that the certificate is on; its signatures were verified. */
  readonly path: ValidPath;
}

/** A URL from which lists are wanted. */
export interface ListPoint {
  readonly url: string;
  /** One for each authority that names this URL, for users and for authorities. */
  readonly askers: ListAsker[];
  /** The list from there that is held. */
  list: RevocationList | undefined;
}

/**
 * The URLs of lists that certificates name whose path is valid: bounded in all and for each
 * authority, so that one that names ever new ones displaces only its own. The one that was asked
 * about least recently goes.
 */
export class ListPoints {
  private readonly points = new Map<string, ListPoint>();

  get size(): number {
    return this.points.size;
  }

  get(url: string): ListPoint | undefined {
    return this.points.get(url);
  }

  values(): IterableIterator<ListPoint> {
    return this.points.values();
  }

  /** The points of one certificate of a path, as http and https URLs; new ones are added. */
  ask(certificate: Certificate, path: ValidPath): { point: ListPoint; isNew: boolean }[] {
    const places = certificate.extensions.crlDistributionPoints ?? [];
    const named = places.flatMap((point) =>
      (point.fullName?.uris ?? []).filter(isFetchable).map((url) => ({ url, point })),
    );
    return named
      .slice(0, URLS_PER_CERTIFICATE_MAX)
      .map(({ url, point }) => this.askAt(url, { certificate, point, path }));
  }

  private askAt(url: string, asker: ListAsker): { point: ListPoint; isNew: boolean } {
    const known = this.points.get(url);
    const point = known ?? { url, askers: [], list: undefined };
    const isNew = known === undefined || addAsker(point, asker);
    if (known === undefined) {
      point.askers.push(asker);
      this.makeRoom(issuerKey(asker));
    } else this.points.delete(url);
    this.points.set(url, point);
    return { point, isNew };
  }

  private makeRoom(issuer: string): void {
    let first: string | undefined;
    let firstOfIssuer: string | undefined;
    let ofIssuer = 0;
    for (const { url, askers } of this.points.values()) {
      first ??= url;
      const [asker] = askers;
      if (asker === undefined || issuerKey(asker) !== issuer) continue;
      firstOfIssuer ??= url;
      ofIssuer++;
    }
    if (ofIssuer >= POINTS_PER_ISSUER_MAX && firstOfIssuer !== undefined) {
      this.points.delete(firstOfIssuer);
    } else if (this.points.size >= LIST_POINTS_MAX && first !== undefined) {
      this.points.delete(first);
    }
  }
}

/** The public key of a certificate, as a key of maps: an authority keeps it over renewals. */
export function publicKeyOf({ subjectPublicKeyInfo: { der } }: Certificate): string {
  return Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('latin1');
}

/** Whether the asker was missing. */
function addAsker({ askers }: ListPoint, asker: ListAsker): boolean {
  const isKnown = askers.some(
    (one) => issuerKey(one) === issuerKey(asker) && isAuthority(one) === isAuthority(asker),
  );
  if (isKnown || askers.length >= ASKERS_MAX) return false;
  askers.push(asker);
  return true;
}

function issuerKey({ certificate, path }: ListAsker): string {
  const at = path.certificates.indexOf(certificate);
  return publicKeyOf(path.certificates[at + 1] ?? path.anchor);
}

function isAuthority({ certificate }: ListAsker): boolean {
  return certificate.extensions.basicConstraints?.isCa === true;
}

function isFetchable(url: string): boolean {
  return url.length <= URL_LENGTH_MAX && /^https?:\/\/[^/]/i.test(url) && URL.canParse(url);
}

export const LIST_POINTS_MAX = 1024;
export const POINTS_PER_ISSUER_MAX = 256;
const URLS_PER_CERTIFICATE_MAX = 4;
const ASKERS_MAX = 8;
/** Characters. */
const URL_LENGTH_MAX = 1024;
