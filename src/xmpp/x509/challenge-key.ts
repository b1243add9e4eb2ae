/**
 * The page of a challenge, with the key that it is for: SHA-256 of the SubjectPublicKeyInfo in
 * lower-case hex. The authority signs the URI, so a client sees when somebody on the way has put
 * another request in the place of its own, whose certificate its user would approve.
 */
export function withChallengeKey(page: string, keySha256: string): string {
  return `${page}?${KEY_PARAMETER}=${keySha256}`;
}

/** The key that a challenge says it is for; undefined: it says none, as XEP-0417 knows none. */
export function challengeKeyOf(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  return new URL(uri).searchParams.get(KEY_PARAMETER) ?? undefined;
}

const KEY_PARAMETER = 'key-sha-256';
