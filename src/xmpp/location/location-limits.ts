/** Address locations followed one after another: juliet → romeo → mercutio are two. */
export const FORWARDS_MAX = 4;

/** Addresses that one lookup asks for, the first one counted. */
export const ADDRESSES_PER_LOOKUP_MAX = 8;

/** Devices that one lookup names; those of the smallest priority values stay. */
export const DEVICES_PER_LOOKUP_MAX = 16;

/** Ways to one device, the best one counted; they are tried one after another. */
export const WAYS_PER_DEVICE_MAX = 4;

/** Entries of a destination list: more ways than one peer in between are nobody's honest need. */
export const DESTINATIONS_PER_ROUTE_MAX = 8;

/** Reasons that are kept of all that was left out. */
export const REASONS_MAX = 8;
