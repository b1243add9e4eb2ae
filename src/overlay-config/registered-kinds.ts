/**
 * Kinds with a name: those of the IANA registry "RELOAD Data Kind-ID" (RFC 6940 §14.6) that this
 * program can store, and XMPP-LOCATION (XEP-0415), whose Kind-ID is the XEP's own choice. A
 * configuration document may set their counts and sizes, nothing else (RFC 6940 §11.1).
 */
import type { KindId } from '../wire/stored-data.ts';
import { AccessPolicy, type KindDefinition, KindIds } from './kind-definition.ts';

/** The part of a Kind that its registration fixes. */
export type RegisteredKind = Omit<KindDefinition, 'maxCount' | 'maxSizeBytes' | 'name'> & {
  readonly name: string;
};

const turnService: RegisteredKind = {
  kindId: KindIds.turnService,
  name: 'TURN-SERVICE',
  dataModel: 'single',
  accessPolicy: AccessPolicy.nodeMultiple,
  // "With a maximum iteration counter of 20", found with Find — RFC 6940 §9.
  maxNodeMultiple: 20,
  findAllowed: true,
};

// Nothing in RFC 6940 needs Find for the Kinds below, and their nearest Resource-ID would let
// anyone walk all users of the overlay.
const certificateByNode: RegisteredKind = {
  kindId: KindIds.certificateByNode,
  name: 'CERTIFICATE_BY_NODE',
  dataModel: 'array',
  accessPolicy: AccessPolicy.nodeMatch,
  findAllowed: false,
};

const certificateByUser: RegisteredKind = {
  kindId: KindIds.certificateByUser,
  name: 'CERTIFICATE_BY_USER',
  dataModel: 'array',
  accessPolicy: AccessPolicy.userMatch,
  findAllowed: false,
};

const xmppLocation: RegisteredKind = {
  kindId: KindIds.xmppLocation,
  name: 'XMPP-LOCATION',
  dataModel: 'dictionary',
  accessPolicy: AccessPolicy.userNodeMatch,
  findAllowed: false,
};

/** RFC 7904 §7; stored like any other, its use is for others. */
const sipRegistration: RegisteredKind = {
  kindId: 0x1,
  name: 'SIP-REGISTRATION',
  dataModel: 'dictionary',
  accessPolicy: AccessPolicy.userNodeMatch,
  findAllowed: false,
};

/** By the name that `<kind name=…>` gives. */
export const REGISTERED_KINDS: ReadonlyMap<string, RegisteredKind> = new Map(
  [turnService, certificateByNode, certificateByUser, xmppLocation, sipRegistration].map((kind) => [
    kind.name,
    kind,
  ]),
);

/** Kinds that every peer stores, with the limits that hold unless a document sets others. */
export const BUILT_IN_KINDS: ReadonlyMap<KindId, KindDefinition> = new Map<KindId, KindDefinition>([
  [turnService.kindId, { ...turnService, maxCount: 1, maxSizeBytes: 64 }],
  [certificateByNode.kindId, { ...certificateByNode, maxCount: 4, maxSizeBytes: 8_192 }],
  [certificateByUser.kindId, { ...certificateByUser, maxCount: 32, maxSizeBytes: 8_192 }],
  [xmppLocation.kindId, { ...xmppLocation, maxCount: 32, maxSizeBytes: 1_024 }],
]);

/** Reserved for private use "via the Kind description mechanism" — RFC 6940 §14.6. */
export const PRIVATE_KIND_ID_MIN = 0xf0000001;
/** 0xFFFFFFFE itself is registered as reserved — RFC 6940 §14.6. */
export const PRIVATE_KIND_ID_MAX = 0xfffffffd;
