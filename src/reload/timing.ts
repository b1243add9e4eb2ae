/** Fixed times of the protocol, each with its source. Times of the configuration are not here. */

/** Transmissions of a request, the first included (RFC 6940 §6.2.1). */
export const REQUEST_TRANSMISSIONS_MAX = 5;

/** How long fragments of one message are waited for (RFC 6940 §6.7). */
export const REASSEMBLY_TIMEOUT_MS = 15_000;

/** A failed successor's replacement gets replicas only after this (RFC 6940 §10.7.1). */
export const SUCCESSOR_HOLD_DOWN_MS = 30_000;

/** A link whose acknowledgements stopped is kept this long, to recover (RFC 6940 §6.6.5). */
export const LINK_SUSPECT_RETENTION_MS = 30_000;

/**
 * A silent link to the next successor or predecessor is probed after this. With the RTO, a host
 * that vanishes is noticed within 20 s; the Update that follows makes the other neighbours look.
 */
export const NEAREST_PROBE_IDLE_MS = 15_000;

/** The same for other neighbours. */
export const NEIGHBOR_PROBE_IDLE_MS = 180_000;

/**
 * The same for all other links: a finger that is gone is noticed when it is used. Routers forget
 * connections that are silent for five minutes.
 */
export const OTHER_PROBE_IDLE_MS = 240_000;

/** A link that serves nothing is closed by the end that asked for it, after so long a silence. */
export const UNUSED_LINK_IDLE_MS = 60_000;

/** How long the inbound link of an answered Attach is waited for. */
export const ATTACH_LINK_TIMEOUT_MS = 10_000;

/** A Node-ID that could not be reached is not tried (or believed) again for this long. */
export const UNREACHABLE_RETENTION_MS = 60_000;

/** Who named several peers that could not be reached is believed less for this long. */
export const TEACHER_DOUBT_MS = 300_000;

/** A neighbour whose Updates do not list this peer is told of it at most once in this time. */
export const REMINDER_PAUSE_MS = 5_000;

/** Beyond a number at once, one Update of a neighbour is looked at in each such time. */
export const UPDATE_PACE_MS = 1_000;

/** Of two links to one node the spare one closes after this; frames on the way still arrive. */
export const SPARE_LINK_LINGER_MS = 2_000;

/** Links that a renewed certificate concerns are made again one after another, this far apart. */
export const LINK_RENEWAL_PACE_MS = 2_000;
/** A new link is waited for so long before it is tried again. */
export const LINK_RENEWAL_ANSWER_MS = 15_000;
/** A link whose certificate ends within this is made again, in case there is a newer one. */
export const LINK_EXPIRY_LEAD_MS = 300_000;

/** Changes of the Neighbor Table within this time are told in one Update. */
export const ANNOUNCE_DELAY_MS = 20;

/**
 * The same for changes beyond the next two on each side: a lost neighbour and the one that takes
 * its place, which must be attached to first, are told in one Update.
 */
export const FAR_ANNOUNCE_DELAY_MS = 2_000;

/** A Leave waits at most this long for the last answers. */
export const LEAVE_TIMEOUT_MS = 3_000;

/** Pauses before the next try to join, doubled each time up to the maximum. */
export const JOIN_RETRY_MIN_MS = 500;
export const JOIN_RETRY_MAX_MS = 30_000;

/** The next known peer is tried after this, while the one before may still answer. */
export const JOIN_CONNECT_STAGGER_MS = 1_500;

/** The first peer of the overlay waits at most so long for connected nodes that say nothing. */
export const FIRST_PEER_PATIENCE_MS = 60_000;

/** Who joins again over the same link gets its share again only after this. */
export const JOIN_COPY_PAUSE_MS = 30_000;

/** How often a peer looks for a partition through a bootstrap node (RFC 6940 §10.7.4.4). */
export const PARTITION_CHECK_MS = 300_000;
/** The same while it has no neighbour at all. */
export const ISOLATED_CHECK_MS = 5_000;

/** A replica Store that was refused or lost is tried again after this. */
export const REPLICATION_RETRY_MS = 5_000;

/** How often stored data is looked through for what this peer need not keep. */
export const HOUSEKEEPING_MS = 60_000;

/** Lifetimes of the own records and when they are stored again. */
export const OWN_CERTIFICATE_LIFETIME_SECONDS = 7 * 24 * 3600;
export const OWN_LOCATION_LIFETIME_SECONDS = 3600;
export const OWN_RECORD_REFRESH_MS = 20 * 60_000;
/** After a failure, doubled each time up to the refresh time. */
export const OWN_RECORD_RETRY_MS = 1_000;
