/**
 * MessageContents with everything opened that RFC 6940 and the registered Kinds define: the body by
 * its message code, stored values by their Kind. What has no definition here (RFC 7851's
 * path_track, experiments, private Kinds) stays bytes.
 */
import { KindIds } from '../overlay-config/kind-definition.ts';
import { REGISTERED_KINDS } from '../overlay-config/registered-kinds.ts';
import { AppAttachReqAns, AttachReqAns } from '../wire/attach.ts';
import { ChordLeaveData, ChordRouteQueryAns, ChordUpdate } from '../wire/chord.ts';
import { type Codec, rest, sequence, struct } from '../wire/codec.ts';
import { ConfigUpdateReq } from '../wire/config-update.ts';
import { ErrorCode, ErrorResponse, UnknownKinds } from '../wire/error-response.ts';
import { emptyBody, MessageCode, MessageContents } from '../wire/message-contents.ts';
import {
  FetchAns,
  FetchReq,
  FindAns,
  FindReq,
  modelSpecifier,
  StatAns,
  StoreAns,
  StoreReq,
  storedMetaData,
} from '../wire/store.ts';
import { type DataModel, type DataValue, type KindId, storedData } from '../wire/stored-data.ts';
import {
  JoinAns,
  JoinReq,
  LeaveReq,
  PingAns,
  PingReq,
  ProbeAns,
  ProbeReq,
  RouteQueryReq,
} from '../wire/topology.ts';
import { TurnServer } from '../wire/turn-server.ts';
import { XmppLocation } from '../wire/xmpp-location.ts';
import { type Inner, nested } from './nested-codec.ts';

type WithKind = { readonly kind: KindId };

/** Codec of a stored value and of the vectors that hold values, by the Kind's data model. */
function storedDataOf(kind: KindId, model: DataModel): Codec<unknown> {
  const content = valueCodecs.get(kind);
  const stored = nested<DataValue>(storedData(model), {
    path: ['value', 'value', 'value'],
    innerOf: ({ exists }) =>
      content === undefined || !exists ? undefined : { codec: content, otherwise: 'bytes' },
  });
  return sequence(stored);
}

/** Opens a field by the data model of the Kind that stands beside it. */
function byKind(
  codec: Codec<unknown>,
  path: readonly string[],
  codecOf: (kind: KindId, model: DataModel) => Codec<unknown>,
): Codec<unknown> {
  return nested<WithKind>(codec, {
    path,
    innerOf({ kind }): Inner | undefined {
      const registered = registeredKinds.get(kind);
      if (registered === undefined) return undefined;
      const otherwise = kindsOfRfc6940.has(kind) ? 'fault' : 'bytes';
      return { codec: codecOf(kind, registered.dataModel), otherwise };
    },
  });
}

/** The error_info of RFC 6940 §7.4.1.2's two errors is a struct, any other's is text (§6.3.3.1). */
function errorInfoCodec(errorCode: number): Codec<unknown> {
  switch (errorCode) {
    case ErrorCode.Error_Generation_Counter_Too_Low:
      return StoreAns;
    case ErrorCode.Error_Unknown_Kind:
      return UnknownKinds;
    default:
      return errorText;
  }
}

const remainingText: Codec<string> = {
  read(reader) {
    const bytes = reader.take(reader.remaining);
    const text = Buffer.from(bytes).toString('utf8');
    if (Buffer.compare(Buffer.from(text, 'utf8'), bytes) === 0) return text;
    throw reader.fault('expected UTF-8 text', reader.offset - bytes.length);
  },
  write: (writer, text) => writer.raw(Buffer.from(text, 'utf8')),
};
const errorText = struct('ErrorResponse', { text: remainingText });
const storedCertificate = struct('Certificate', { certificate: rest });

const registeredKinds = new Map([...REGISTERED_KINDS.values()].map((kind) => [kind.kindId, kind]));

/** Kinds whose data model is beyond doubt; another overlay may mean something else by the rest. */
const kindsOfRfc6940 = new Set<KindId>([
  KindIds.turnService,
  KindIds.certificateByNode,
  KindIds.certificateByUser,
]);

const valueCodecs = new Map<KindId, Codec<unknown>>([
  [KindIds.turnService, TurnServer],
  [KindIds.certificateByNode, storedCertificate],
  [KindIds.certificateByUser, storedCertificate],
  [KindIds.xmppLocation, XmppLocation],
]);

const openedFetchReq = byKind(FetchReq, ['specifiers', '*', 'modelSpecifier'], (_, model) =>
  modelSpecifier(model),
);

const openedLeaveReq = nested(LeaveReq, {
  path: ['overlaySpecificData'],
  innerOf: () => ({ codec: ChordLeaveData, otherwise: 'bytes' }),
});

const openedError = nested<ErrorResponse>(ErrorResponse, {
  path: ['errorInfo'],
  innerOf: ({ errorCode }) => ({ codec: errorInfoCodec(errorCode), otherwise: 'bytes' }),
});

const kindValues = ['kindResponses', '*', 'values'];

const bodyCodecs: Readonly<Record<MessageCode, Codec<unknown>>> = {
  [MessageCode.probeReq]: ProbeReq,
  [MessageCode.probeAns]: ProbeAns,
  [MessageCode.attachReq]: AttachReqAns,
  [MessageCode.attachAns]: AttachReqAns,
  [MessageCode.storeReq]: byKind(StoreReq, ['kindData', '*', 'values'], storedDataOf),
  [MessageCode.storeAns]: StoreAns,
  [MessageCode.fetchReq]: openedFetchReq,
  [MessageCode.fetchAns]: byKind(FetchAns, kindValues, storedDataOf),
  [MessageCode.findReq]: FindReq,
  [MessageCode.findAns]: FindAns,
  [MessageCode.joinReq]: JoinReq,
  [MessageCode.joinAns]: JoinAns,
  [MessageCode.leaveReq]: openedLeaveReq,
  [MessageCode.leaveAns]: emptyBody,
  [MessageCode.updateReq]: ChordUpdate,
  [MessageCode.updateAns]: emptyBody,
  [MessageCode.routeQueryReq]: RouteQueryReq,
  [MessageCode.routeQueryAns]: ChordRouteQueryAns,
  [MessageCode.pingReq]: PingReq,
  [MessageCode.pingAns]: PingAns,
  [MessageCode.statReq]: openedFetchReq,
  [MessageCode.statAns]: byKind(StatAns, kindValues, (_, model) => sequence(storedMetaData(model))),
  [MessageCode.appAttachReq]: AppAttachReqAns,
  [MessageCode.appAttachAns]: AppAttachReqAns,
  [MessageCode.configUpdateReq]: ConfigUpdateReq,
  [MessageCode.configUpdateAns]: emptyBody,
  [MessageCode.error]: openedError,
};

const bodiesByCode = new Map<number, Codec<unknown>>(
  Object.entries(bodyCodecs).map(([code, codec]) => [Number(code), codec]),
);

/** MessageContents whose `body` is an object for every code above, and bytes for any other. */
export const openedContents: Codec<unknown> = nested<MessageContents>(MessageContents, {
  path: ['body'],
  innerOf({ code }) {
    const codec = bodiesByCode.get(code);
    return codec === undefined ? undefined : { codec, otherwise: 'fault' };
  },
});
