/** The application of AppAttach — XEP-0415 §6.1. */
export const XMPP_APPLICATION = 5222;

/** Bounds of the direct streams; all of them hold whatever other devices do. */
export interface DirectLimits {
  /** Addresses for which streams are kept at once. */
  readonly wantedAddressesMax: number;
  /** Devices that are connected, being connected, or waited for. */
  readonly devicesMax: number;
  /** Of these, devices of one user other than the own one. */
  readonly devicesPerUserMax: number;
  /** Own attempts to connect under way at once, in answer to AppAttach requests. */
  readonly connectsMax: number;
  /** Stanzas sent to one device and not acknowledged. */
  readonly unacknowledgedStanzasMax: number;
  readonly unacknowledgedBytesMax: number;
  /** The same for all devices together. */
  readonly unacknowledgedBytesTotalMax: number;
  /** Stanzas that came from one device and are not dealt with; beyond it the stream ends. */
  readonly unhandledStanzasMax: number;
  readonly unhandledBytesMax: number;
}

export const DIRECT_LIMITS: DirectLimits = {
  wantedAddressesMax: 4_096,
  devicesMax: 1_024,
  devicesPerUserMax: 16,
  connectsMax: 64,
  unacknowledgedStanzasMax: 16_384,
  unacknowledgedBytesMax: 8 * 1024 * 1024,
  unacknowledgedBytesTotalMax: 64 * 1024 * 1024,
  unhandledStanzasMax: 32_768,
  unhandledBytesMax: 16 * 1024 * 1024,
};

/** From the TLS connection to the open stream. */
export const NEGOTIATION_MS_MAX = 15_000;

/** How long the end that sent AppAttach waits for the other one to connect (RFC 6940 §6.5.2). */
export const ASKED_LINK_MS_MAX = 20_000;

/**
 * A request that came while the own one waits for its connection is followed after so long: the
 * other end may have tried already and failed. It is longer than most connections take.
 */
export const HELD_OFFER_MS = 2_000;

/** A stream whose connection broke may be resumed so long (XEP-0198 §5). */
export const RESUMPTION_MS_MAX = 60_000;

/** Two connections so close after each other were made at the same time. */
export const SIMULTANEOUS_MS = 10_000;

/** Pause before the first new try to connect, doubled each time, with jitter. */
export const RECONNECT_MS_MIN = 500;
export const RECONNECT_MS_MAX = 120_000;

/** The end that did not ask for the broken connection leaves the first try to the other one. */
export const RECONNECT_OTHER_END_MS = 3_000;

/** A connection that breaks within this time counts as one that is broken on purpose. */
export const STEADY_MS = 2_000;
/** So many of them in a row are replaced at once, the further ones after pauses up to this. */
export const BROKEN_SOON_FREE = 5;
export const BROKEN_SOON_PAUSE_MS_MAX = 2_000;

/** A round that found and connected everything counts so long. */
export const ROUND_FRESH_MS = 60_000;

/** After so long, devices of a wanted address are looked for again; jittered. */
export const LOOKUP_AGAIN_MS = 600_000;

/** A stream that is silent for so long is probed with an acknowledgement request. */
export const PROBE_AFTER_MS = 60_000;

/** Nothing heard for so long after a request for an acknowledgement: the connection is dead. */
export const PROBE_ANSWER_MS_MAX = 15_000;

/** An acknowledgement that is asked for waits so long for stanzas that are being dealt with. */
export const ACKNOWLEDGEMENT_MS_MAX = 1_000;

/** A stream of an address that nobody wants is closed after so long without a stanza. */
export const IDLE_MS_MAX = 120_000;

/** How often streams are looked at: liveness, idleness, certificates. */
export const UPKEEP_MS = 5_000;

/** How long the other end may take to end its side of a stream that is being closed. */
export const CLOSING_MS_MAX = 2_000;
