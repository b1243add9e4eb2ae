import type { RenewingPeer } from './readiness.ts';

type Metric = readonly [help: string, read: () => number];

/** The own certificate and what its renewal changes, by name. */
export function renewalGauges(host: RenewingPeer): Readonly<Record<string, Metric>> {
  return {
    xor_certificate_not_after_seconds: [
      'When the own certificate ends, seconds since 1970',
      () => Math.floor(host.status().certificateNotAfterUnixMs / 1000),
    ],
    xor_former_certificate_links: [
      'Links that a former certificate was shown on',
      () => host.status().formerCertificate.links,
    ],
    xor_former_certificate_values: [
      'Places whose values a former certificate may have signed',
      () => host.status().formerCertificate.values,
    ],
  };
}

/** Tries to renew the own certificate, by name. */
export function renewalCounters(host: RenewingPeer): Readonly<Record<string, Metric>> {
  return {
    xor_renewals_total: ['Certificates renewed', () => host.renewal?.renewals ?? 0],
    xor_renewal_failures_total: [
      'Tries to renew the certificate that failed',
      () => host.renewal?.failures ?? 0,
    ],
  };
}
