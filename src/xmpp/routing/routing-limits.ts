/**
 * Limits of stanza routing. All messages of an archive and an outbox are held in memory, so their
 * counts and bytes bound it.
 */

/** Messages in the archive (XEP-0313) and so in the index of duplicates; the oldest go first. */
export const ARCHIVE_MESSAGES_MAX = 20_000;
/** Bytes of these messages as they are written. */
export const ARCHIVE_BYTES_MAX = 32 * 1024 * 1024;

/** Messages of one answer to a query of the archive. */
export const ARCHIVE_PAGE_MAX = 100;

/** Messages that wait for one contact. */
export const OUTBOX_PER_ADDRESSEE_MAX = 15_000;
/** Messages that wait for contacts, all together. */
export const OUTBOX_MESSAGES_MAX = 20_000;
/** Bytes of these messages as they are written. */
export const OUTBOX_BYTES_MAX = 32 * 1024 * 1024;
/** Contacts for whom messages wait. */
export const OUTBOX_ADDRESSEES_MAX = 1_000;
/** A message that waited longer is given up, and its sender is told. */
export const OUTBOX_AGE_MAX_MS = 14 * 24 * 60 * 60 * 1_000;
/** How often the outbox is looked through for such messages. */
export const OUTBOX_SWEEP_MS = 60 * 60 * 1_000;
/** Messages sent to one device and not acknowledged yet. */
export const DEVICE_WINDOW_MAX = 256;
/** Characters of these as they are written; a message alone may have more. */
export const DEVICE_WINDOW_CHARACTERS_MAX = 1024 * 1024;
/** What found no room on the way to a device is sent again after so long. */
export const SEND_AGAIN_MS = 1_000;
/** A message that left later than this after it was sent says when it was sent (XEP-0203). */
export const DELAY_STAMP_AFTER_MS = 10_000;
/** Pauses between attempts to reach a contact for whom messages wait; the last one stays. */
export const REACH_PAUSES_MS = [5_000, 15_000, 60_000, 300_000, 900_000, 1_800_000] as const;
/**
 * An address counts as nobody's when it has no certificate now and after this: whoever is just
 * enrolling, or an overlay that is just coming together, has so much time.
 */
export const UNKNOWN_AFTER_MS = 15_000;
/** After a start the contacts for whom messages wait are looked for one after another. */
export const REACH_STAGGER_MS = 100;

/** Messages that wait for a client of the user to log in. */
export const OFFLINE_MESSAGES_MAX = 10_000;
export const OFFLINE_BYTES_MAX = 16 * 1024 * 1024;
/** Between two looks whether a client has read what it was handed of these. */
export const HAND_OVER_PAUSE_MS = 200;

/**
 * What a message may be when it leaves: below the limits of streams (`STREAM_LIMITS`), because ids,
 * stamps and wrappers are added on its way, and one that no stream takes would block its queue.
 */
export const MESSAGE_BYTES_MAX = 240_000;
export const MESSAGE_DEPTH_MAX = 56;
export const MESSAGE_ELEMENTS_MAX = 8_000;

/** Characters of an origin-id (XEP-0359); a longer one identifies nothing. */
export const ORIGIN_ID_CHARACTERS_MAX = 256;

/** Batches of records that wait because the disk cannot be written. */
export const HELD_WRITES_MAX = 1_000;
/** Pauses between attempts to write them; the last one stays. */
export const WRITE_PAUSES_MS = [1_000, 5_000, 30_000] as const;

/** Addresses whose preparation is remembered. */
export const PARSED_ADDRESSES_MAX = 2_048;

/** Elements inside one another in a record. */
export const STANZA_DEPTH_MAX = 64;

/** Available clients of one contact that are remembered. */
export const RESOURCES_PER_ADDRESS_MAX = 64;
/** Available clients of all contacts that are remembered. */
export const REMOTE_RESOURCES_MAX = 10_000;
/** The user's own clients that are logged in at this peer. */
export const CLIENTS_MAX = 1_000;

/** Requests of the own clients to others that are not answered yet. */
export const REMOTE_IQS_MAX = 10_000;
/** After this a request to others is answered with remote-server-timeout. */
export const REMOTE_IQ_TIMEOUT_MS = 60_000;
/** Requests of others to own clients whose answers are waited for. */
export const ANSWER_ROUTES_MAX = 10_000;
/** How long. */
export const ANSWER_ROUTE_MS = 300_000;

/** Contacts of the user, and those who ask to become one. */
export const ROSTER_ITEMS_MAX = 2_000;
/** Groups that one contact is in. */
export const ROSTER_GROUPS_MAX = 64;
/** Bytes of the name of a contact or group. */
export const ROSTER_TEXT_BYTES_MAX = 1_023;
/** Addresses outside the roster that a client sent directed presence. */
export const DIRECTED_PRESENCES_MAX = 256;

/** Kinds of clients whose capabilities are remembered (XEP-0115). */
export const CAPABILITIES_MAX = 1_000;
/** Nodes of which one client hears. */
export const NOTIFY_NODES_MAX = 256;

/** Addresses that the user blocks (XEP-0191). */
export const BLOCKED_ADDRESSES_MAX = 2_000;

/** Requests of the peer itself that are open, and how long. */
export const PEER_REQUESTS_MAX = 100;
export const PEER_REQUEST_TIMEOUT_MS = 60_000;

/** Nodes of the user's personal events (XEP-0163). */
export const PEP_NODES_MAX = 128;
/** Items of one node, where more than one is wanted. */
export const PEP_ITEMS_MAX = 256;
/** Bytes of all items. */
export const PEP_BYTES_MAX = 4 * 1024 * 1024;
/** Characters of a node's name or an item's id. */
export const PEP_NAME_CHARACTERS_MAX = 512;

/**
 * How long it is remembered that a contact, personal event or block was removed: an own device that
 * was off for longer brings back what it still has.
 */
export const REMOVALS_KEPT_MS = 180 * 24 * 60 * 60 * 1_000;
/** How many of each kind; the oldest are forgotten first. */
export const REMOVALS_MAX = 4_000;

/** Entries of one page that an own device gets of another, and bytes of them. */
export const SYNC_PAGE_ENTRIES_MAX = 100;
export const SYNC_PAGE_BYTES_MAX = 200_000;
/** Elements in them all together. */
export const SYNC_PAGE_ELEMENTS_MAX = 4_000;
/** Pages that one own device is asked for in a row. */
export const SYNC_PAGES_MAX = 25_000;
/** An own device that stays connected is asked again after so long. */
export const SYNC_AGAIN_MS = 10 * 60 * 1_000;
/** Own devices of which it is remembered how far their archives were read. */
export const SYNC_POSITIONS_MAX = 64;

/** Streams to somebody who is no contact are kept so long after they were asked for, and in use. */
export const RELEASE_AFTER_MS = 10 * 60 * 1_000;
