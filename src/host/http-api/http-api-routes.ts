import type { PeerStatus } from '../../reload/peer-options.ts';
import { ConfigurationUnavailable } from '../configuration/configuration-unavailable.ts';
import { configurationWarnings } from '../configuration/configuration-watch.ts';
import type { PeerHost } from '../peer-host.ts';
import { formatSocketAddress } from '../socket-address.ts';
import {
  addedCertificateJson,
  CLIENT_CERTIFICATE_BODY_BYTES_MAX,
  clientCertificatesJson,
  unusableCertificateJson,
} from './client-certificates.ts';
import { configurationReportOf } from './configuration-metrics.ts';
import {
  certificateJson,
  isoTime,
  locationJson,
  peersJson,
  revocationJson,
  rounded,
  valueJson,
} from './http-api-json.ts';
import { HttpProblem } from './http-problem.ts';
import { readLookupTarget, readNodeIdText } from './lookup-target.ts';
import { MESSAGE_BODY_BYTES_MAX, messageJson } from './message-sending.ts';
import type { MeasuredPeer, Metrics } from './metrics.ts';
import { peerReadiness, renewalWarning } from './readiness.ts';

/** What a route answers; a string body is sent as it is. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface HttpRoute {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  /** Readable without the token: nothing but whether the process works, and counters. */
  readonly open?: boolean;
  /** What a body may have; without it a small one is read and passed over. */
  readonly bodyBytesMax?: number;
  /** `parameter` is the percent-decoded group of `path`, or empty. */
  answer(parameter: string, body: Uint8Array): Promise<HttpAnswer> | HttpAnswer;
}

/** What the API needs of a peer. */
export type ServedPeer = MeasuredPeer &
  Pick<
    PeerHost,
    | 'values'
    | 'lookupCertificates'
    | 'locate'
    | 'ping'
    | 'overlayConfiguration'
    | 'listenAddress'
    | 'sendMessage'
    | 'manageCertificates'
  >;

/** The HTTP API of a running peer: paths and what they answer. */
export function httpApiRoutes(host: ServedPeer): HttpRoute[] {
  const metrics = metricsWhenAsked(host);
  return [
    { method: 'GET', path: /^\/healthz$/, open: true, answer: () => json({ status: 'ok' }) },
    { method: 'GET', path: /^\/readyz$/, open: true, answer: () => readyAnswer(host) },
    { method: 'GET', path: /^\/metrics$/, open: true, answer: () => metricsAnswer(metrics) },
    { method: 'GET', path: /^\/v1\/status$/, answer: () => json(statusJson(host)) },
    { method: 'GET', path: /^\/v1\/peers$/, answer: () => json(peersJson(host.status())) },
    { method: 'GET', path: /^\/v1\/values$/, answer: () => json(host.values().map(valueJson)) },
    {
      method: 'GET',
      path: /^\/v1\/certificates\/([^/]+)$/,
      answer: async (text) => {
        const nodes = await host.lookupCertificates(required(readLookupTarget(text)));
        return json(nodes.map(certificateJson));
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/locations\/([^/]+)$/,
      answer: async (text) => {
        const target = required(readLookupTarget(text));
        if (!('userName' in target)) throw new HttpProblem(400, `"${text}" is no XMPP address`);
        return json((await host.locate(target.userName)).map(locationJson));
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/configuration\/refresh$/,
      answer: () => refreshAnswer(host),
    },
    {
      method: 'POST',
      path: /^\/v1\/messages$/,
      bodyBytesMax: MESSAGE_BODY_BYTES_MAX,
      answer: async (_parameter, body) => json(await messageJson(host, body)),
    },
    ...clientCertificateRoutes(host),
    {
      method: 'POST',
      path: /^\/v1\/ping\/([^/]+)$/,
      answer: async (text) => {
        const pong = await host.ping(required(readNodeIdText(text)));
        return json({
          nodeId: pong.nodeId,
          roundTripMs: rounded(pong.roundTripMs),
          hops: pong.hops,
          peerTime: isoTime(pong.peerTimeUnixMs),
        });
      },
    },
  ];
}

function clientCertificateRoutes(host: ServedPeer): HttpRoute[] {
  const bodyBytesMax = CLIENT_CERTIFICATE_BODY_BYTES_MAX;
  return [
    {
      method: 'GET',
      path: /^\/v1\/client-certificates$/,
      answer: async () => json(await clientCertificatesJson(host)),
    },
    {
      method: 'POST',
      path: /^\/v1\/client-certificates$/,
      bodyBytesMax,
      answer: async (_parameter, body) => json(await addedCertificateJson(host, body)),
    },
    {
      method: 'POST',
      path: /^\/v1\/client-certificates\/(disable|revoke)$/,
      bodyBytesMax,
      answer: async (type, body) =>
        json(await unusableCertificateJson(host, type === 'revoke' ? type : 'disable', body)),
    },
  ];
}

function statusJson(host: ServedPeer) {
  const status: PeerStatus = host.status();
  const readiness = peerReadiness(host);
  const renewal = renewalJson(host, status);
  return {
    overlay: host.overlayConfiguration.instanceName,
    configurationSequence: status.configurationSequence,
    nodeId: status.nodeId,
    jid: status.userName,
    role: status.role,
    state: status.state,
    ready: readiness.ready,
    ...(readiness.ready ? {} : { reason: readiness.reason }),
    ...revocationJson(host.revocation),
    listen: formatSocketAddress(host.listenAddress),
    uptimeSeconds: status.uptimeSeconds,
    predecessors: status.predecessors,
    successors: status.successors,
    fingers: status.fingers,
    links: status.links.length,
    ownRecordsStored: status.ownRecordsStored,
    ownRecordsComplete: status.ownRecordsComplete,
    certificate: renewal,
    configuration: configurationJson(host),
    resources: status.resources,
    values: status.values,
    counters: status.counters,
  };
}

function configurationJson(host: ServedPeer) {
  const report = configurationReportOf(host);
  if (report === undefined) return null;
  const { server, expirationUnixMs, refusedUpdates, lastRefusal } = report;
  const refusal = server?.refusal;
  return {
    sequence: report.sequence,
    expiration: expirationUnixMs === undefined ? null : isoTime(expirationUnixMs),
    checked: server === undefined ? null : isoTime(server.checkedUnixMs),
    failures: server?.failures ?? 0,
    refused: server?.refused ?? 0,
    refusal:
      refusal === undefined
        ? null
        : { since: isoTime(refusal.sinceUnixMs), reason: refusal.reason },
    refusedUpdates,
    lastRefusedUpdate:
      lastRefusal === undefined
        ? null
        : { at: isoTime(lastRefusal.atUnixMs), reason: lastRefusal.reason },
  };
}

async function refreshAnswer(host: ServedPeer): Promise<HttpAnswer> {
  try {
    return json({ sequence: (await host.configurationWatch?.refresh()) ?? 0 });
  } catch (error) {
    if (!(error instanceof ConfigurationUnavailable)) throw error;
    throw new HttpProblem(502, error.message, { code: 'configuration' });
  }
}

function renewalJson(host: ServedPeer, status: PeerStatus) {
  const { nextTryUnixMs, renewals = 0, failures = 0, fault } = host.renewal ?? {};
  return {
    notAfter: isoTime(status.certificateNotAfterUnixMs),
    renewalAt: nextTryUnixMs === undefined ? null : isoTime(nextTryUnixMs),
    renewals,
    failures,
    ...(fault === undefined ? {} : { fault }),
    formerInUse: status.formerCertificate,
  };
}

function readyAnswer(host: ServedPeer): HttpAnswer {
  const readiness = peerReadiness(host);
  const renewal = renewalWarning(host.renewal);
  const configuration = configurationReportOf(host);
  const warnings = [
    ...(renewal === undefined ? [] : [renewal]),
    ...(configuration === undefined ? [] : configurationWarnings(configuration, Date.now())),
  ];
  if (readiness.ready) {
    return json({ status: 'ready', ...(warnings.length === 0 ? {} : { warnings }) });
  }
  throw new HttpProblem(503, readiness.reason, { code: 'not-ready' }, { 'retry-after': '1' });
}

/** Loads what metrics need only when somebody asks for them; most peers never do. */
function metricsWhenAsked(host: ServedPeer): () => Promise<Metrics> {
  let loading: Promise<Metrics> | undefined;
  const load = async () => new (await import('./metrics.ts')).Metrics(host);
  return () => {
    loading ??= load();
    return loading;
  };
}

async function metricsAnswer(load: () => Promise<Metrics>): Promise<HttpAnswer> {
  const metrics = await load();
  return { status: 200, contentType: metrics.contentType, body: await metrics.text() };
}

function json(value: unknown): HttpAnswer {
  return { status: 200, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

/** The value that was read, or 400 with the sentence that came instead. */
function required<T>(read: T | { readonly fault: string }): T {
  if (typeof read === 'object' && read !== null && 'fault' in read) {
    throw new HttpProblem(400, read.fault, { code: 'bad-request' });
  }
  return read as T;
}
