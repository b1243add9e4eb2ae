import {
  fetchHttps,
  type HttpsAnswer,
  HttpsFetchError,
  type HttpsFetchLimits,
} from '../https-fetch.ts';
import {
  discoverConfigurationServers,
  type ServiceResolver,
  type ServiceTarget,
} from '../service-discovery.ts';

export interface ConfigurationSourceOptions {
  readonly overlayName: string;
  /** Of the document; without it the server is found by DNS (RFC 6940 §11.2). */
  readonly url?: string | undefined;
  /** PEM of authorities that are trusted beside the system's. */
  readonly trustAnchorsPem?: readonly string[];
  readonly resolver?: ServiceResolver;
  readonly limits?: Partial<HttpsFetchLimits>;
}

/** One request for the document of an overlay. Throws HttpsFetchError. */
export async function fetchConfigurationDocument(
  options: ConfigurationSourceOptions,
  ifModifiedSince: string | undefined,
  signal: AbortSignal,
): Promise<HttpsAnswer> {
  const { overlayName, trustAnchorsPem = [], limits = {} } = options;
  const url = options.url ?? `https://${overlayName}/.well-known/reload-config`;
  const request = { url, trustAnchorsPem, limits, ifModifiedSince, accept: MEDIA_TYPES, signal };
  if (options.url !== undefined) return fetchHttps(request);
  const targets = await discoverConfigurationServers(overlayName, options.resolver);
  return await firstAnswer(targets, overlayName, (connectTo) =>
    fetchHttps({ ...request, connectTo }),
  );
}

/** The targets in turn, until one is reached: a wrong answer from one is not asked of the next. */
async function firstAnswer(
  targets: readonly ServiceTarget[],
  overlayName: string,
  ask: (target: ServiceTarget) => Promise<HttpsAnswer>,
): Promise<HttpsAnswer> {
  const todo = 'give the URL of its configuration with --config-url';
  let last = new HttpsFetchError(
    'unreachable',
    `the overlay ${overlayName} declares in DNS that it has no configuration server; ${todo}`,
  );
  for (const target of targets) {
    try {
      return await ask(target);
    } catch (error) {
      if (!(error instanceof HttpsFetchError) || error.code !== 'unreachable') throw error;
      last = error;
    }
  }
  throw last;
}

/** RFC 6940 §14.16. */
const MEDIA_TYPES = 'application/p2p-overlay+xml, application/xml;q=0.9, */*;q=0.1';
