/** One message of every code that RFC 6940 defines, made with the real encoder. */
import { AppAttachReqAns, AttachReqAns, type IceCandidate } from '../../src/wire/attach.ts';
import { ChordLeaveData, ChordRouteQueryAns, ChordUpdate } from '../../src/wire/chord.ts';
import { type Codec, encode, sequence } from '../../src/wire/codec.ts';
import { ConfigUpdateReq } from '../../src/wire/config-update.ts';
import { ErrorCode, ErrorResponse, UnknownKinds } from '../../src/wire/error-response.ts';
import { encodeMessage, type HeaderFields } from '../../src/wire/message.ts';
import { MessageCode, MessageContents } from '../../src/wire/message-contents.ts';
import { SecurityBlock } from '../../src/wire/security-block.ts';
import {
  FetchAns,
  FetchReq,
  FindAns,
  FindReq,
  type MetaData,
  modelSpecifier,
  StatAns,
  StoreAns,
  StoreReq,
  storedMetaData,
} from '../../src/wire/store.ts';
import { type DataModel, type StoredDataValue, storedData } from '../../src/wire/stored-data.ts';
import {
  JoinAns,
  JoinReq,
  LeaveReq,
  PingAns,
  PingReq,
  ProbeAns,
  ProbeReq,
  RouteQueryReq,
} from '../../src/wire/topology.ts';
import { TurnServer } from '../../src/wire/turn-server.ts';
import { XmppLocation } from '../../src/wire/xmpp-location.ts';
import { SAMPLE_CERTIFICATE } from './sample-certificate.ts';
import { SIGNATURE_VALUE } from './security-cases.ts';
import { ascii, hexBytes, NODE_1, NODE_2, RESOURCE } from './struct-case.ts';

export interface MessageSample {
  readonly name: string;
  readonly code: number;
  readonly body: Uint8Array;
}

export const sampleHeader: HeaderFields = {
  overlay: 0x9aa32b8d,
  configurationSequence: 22,
  version: 10,
  ttl: 100,
  fragment: 0xc0000000,
  transactionId: 0x0102030405060708n,
  maxResponseLength: 0,
  viaList: [{ type: 'node', nodeId: NODE_2 }],
  destinationList: [{ type: 'node', nodeId: NODE_1 }],
  options: [],
};

/** A whole message around `sample`; its signature is filler. */
export function messageOf(sample: Pick<MessageSample, 'code' | 'body'>): Uint8Array {
  const contents = encode(MessageContents, {
    code: sample.code,
    body: sample.body,
    extensions: [],
  });
  const block = encode(SecurityBlock, {
    certificates: [{ type: 0, certificate: SAMPLE_CERTIFICATE }],
    signature: SIGNATURE_VALUE,
  });
  return encodeMessage(sampleHeader, contents, block);
}

function sample<T>(name: string, code: number, codec: Codec<T>, value: T): MessageSample {
  return { name, code, body: encode(codec, value) };
}

function storedValues(model: DataModel, ...values: StoredDataValue[]): Uint8Array {
  return encode(
    sequence(storedData(model)),
    values.map((value) => ({
      storageTime: 1_700_000_000_000n,
      lifetime: 86_400,
      value,
      signature: SIGNATURE_VALUE,
    })),
  );
}

const candidates: IceCandidate[] = [
  {
    address: { type: 'ipv4', address: hexBytes('c0000201'), port: 6084 },
    overlayLink: 4,
    foundation: ascii('1'),
    priority: 0x7e0000ff,
    type: 1,
    extensions: [],
  },
  {
    address: {
      type: 'ipv6',
      address: hexBytes('20010db8000000000000000000000001'),
      port: 6085,
    },
    overlayLink: 1,
    foundation: ascii('22'),
    priority: 7,
    type: 2,
    relatedAddress: { type: 'ipv4', address: hexBytes('0a000001'), port: 5000 },
    extensions: [{ name: ascii('a'), value: ascii('b') }],
  },
];
const attach: AttachReqAns = {
  ufrag: ascii('ufrag'),
  password: ascii('passwordpasswordpasswd'),
  role: 'passive',
  candidates,
  sendUpdate: true,
};
const appAttach: AppAttachReqAns = {
  ufrag: ascii('ufrag'),
  password: ascii('passwordpasswordpasswd'),
  application: 5222,
  role: 'active',
  candidates,
};

const attachSamples: readonly MessageSample[] = [
  sample('AttachReq', MessageCode.attachReq, AttachReqAns, attach),
  sample('AttachAns', MessageCode.attachAns, AttachReqAns, {
    ...attach,
    role: 'active',
    sendUpdate: false,
  }),
  sample('AppAttachReq', MessageCode.appAttachReq, AppAttachReqAns, appAttach),
  sample('AppAttachAns', MessageCode.appAttachAns, AppAttachReqAns, appAttach),
];

const topologySamples: readonly MessageSample[] = [
  sample('ProbeReq', MessageCode.probeReq, ProbeReq, { requestedInfo: [1, 2, 3] }),
  sample('ProbeAns', MessageCode.probeAns, ProbeAns, {
    probeInfo: [
      { type: 1, value: 500_000_000 },
      { type: 2, value: 12 },
      { type: 3, value: 3600 },
    ],
  }),
  sample('JoinReq', MessageCode.joinReq, JoinReq, {
    joiningPeerId: NODE_2,
    overlaySpecificData: hexBytes(''),
  }),
  sample('JoinAns', MessageCode.joinAns, JoinAns, { overlaySpecificData: hexBytes('') }),
  sample('LeaveReq', MessageCode.leaveReq, LeaveReq, {
    leavingPeerId: NODE_2,
    overlaySpecificData: encode(ChordLeaveData, { type: 'fromSucc', successors: [NODE_1] }),
  }),
  { name: 'LeaveAns', code: MessageCode.leaveAns, body: hexBytes('') },
  sample('UpdateReq peer_ready', MessageCode.updateReq, ChordUpdate, {
    type: 'peerReady',
    uptime: 60,
  }),
  sample('UpdateReq neighbors', MessageCode.updateReq, ChordUpdate, {
    type: 'neighbors',
    uptime: 60,
    predecessors: [NODE_1],
    successors: [NODE_2, NODE_1],
  }),
  sample('UpdateReq full', MessageCode.updateReq, ChordUpdate, {
    type: 'full',
    uptime: 60,
    predecessors: [NODE_1],
    successors: [NODE_2],
    fingers: [NODE_1, NODE_2],
  }),
  { name: 'UpdateAns', code: MessageCode.updateAns, body: hexBytes('') },
  sample('RouteQueryReq', MessageCode.routeQueryReq, RouteQueryReq, {
    sendUpdate: true,
    destination: { type: 'resource', resourceId: RESOURCE },
    overlaySpecificData: hexBytes(''),
  }),
  sample('RouteQueryAns', MessageCode.routeQueryAns, ChordRouteQueryAns, { nextPeer: NODE_2 }),
  sample('PingReq', MessageCode.pingReq, PingReq, { padding: ascii('padding') }),
  sample('PingAns', MessageCode.pingAns, PingAns, {
    responseId: 0x0123456789n,
    time: 1_700_000_000_123n,
  }),
];

const exists = (value: Uint8Array) => ({ exists: true, value });
const turnServer = encode(TurnServer, {
  iteration: 1,
  serverAddress: { type: 'ipv4', address: hexBytes('c0000209'), port: 3478 },
});
const location = encode(XmppLocation, {
  type: 'route',
  priority: 5,
  destinationList: [{ type: 'node', nodeId: NODE_1 }],
});
const redirection = encode(XmppLocation, { type: 'address', address: 'julia@example.org' });
const metaData: MetaData = {
  exists: true,
  valueLength: 9,
  hashAlgorithm: 4,
  hashValue: hexBytes('00112233'),
};

const storageSamples: readonly MessageSample[] = [
  sample('StoreReq', MessageCode.storeReq, StoreReq, {
    resource: RESOURCE,
    replicaNumber: 1,
    kindData: [
      {
        kind: 2,
        generationCounter: 5n,
        values: storedValues('single', { model: 'single', value: exists(turnServer) }),
      },
      {
        kind: 16,
        generationCounter: 0n,
        values: storedValues('array', {
          model: 'array',
          index: 7,
          value: exists(SAMPLE_CERTIFICATE),
        }),
      },
    ],
  }),
  sample('StoreAns', MessageCode.storeAns, StoreAns, {
    kindResponses: [{ kind: 16, generationCounter: 6n, replicas: [NODE_1, NODE_2] }],
  }),
  sample('FetchReq', MessageCode.fetchReq, FetchReq, {
    resource: RESOURCE,
    specifiers: [
      { kind: 2, generation: 3n, modelSpecifier: hexBytes('') },
      {
        kind: 16,
        generation: 4n,
        modelSpecifier: encode(modelSpecifier('array'), {
          model: 'array',
          ranges: [{ first: 1, last: 9 }],
        }),
      },
    ],
  }),
  sample('FetchAns', MessageCode.fetchAns, FetchAns, {
    kindResponses: [
      {
        kind: 3,
        generation: 8n,
        values: storedValues(
          'array',
          { model: 'array', index: 0, value: { exists: false, value: hexBytes('') } },
          { model: 'array', index: 1, value: exists(SAMPLE_CERTIFICATE) },
        ),
      },
    ],
  }),
  sample('StatReq', MessageCode.statReq, FetchReq, {
    resource: RESOURCE,
    specifiers: [{ kind: 2, generation: 0n, modelSpecifier: hexBytes('') }],
  }),
  sample('StatAns', MessageCode.statAns, StatAns, {
    kindResponses: [
      {
        kind: 2,
        generation: 5n,
        values: encode(sequence(storedMetaData('single')), [
          { storageTime: 1_700_000_000_000n, lifetime: 60, value: { model: 'single', metaData } },
        ]),
      },
    ],
  }),
  sample('FindReq', MessageCode.findReq, FindReq, { resource: RESOURCE, kinds: [2, 16] }),
  sample('FindAns', MessageCode.findAns, FindAns, { results: [{ kind: 2, closest: RESOURCE }] }),
];

const dictionarySamples: readonly MessageSample[] = [
  sample('StoreReq of XMPP-LOCATION', MessageCode.storeReq, StoreReq, {
    resource: RESOURCE,
    replicaNumber: 0,
    kindData: [
      {
        kind: 5,
        generationCounter: 1n,
        values: storedValues(
          'dictionary',
          { model: 'dictionary', key: hexBytes(NODE_1), value: exists(location) },
          { model: 'dictionary', key: hexBytes(NODE_2), value: exists(redirection) },
        ),
      },
    ],
  }),
  sample('FetchReq of XMPP-LOCATION', MessageCode.fetchReq, FetchReq, {
    resource: RESOURCE,
    specifiers: [
      {
        kind: 5,
        generation: 0n,
        modelSpecifier: encode(modelSpecifier('dictionary'), {
          model: 'dictionary',
          keys: [hexBytes(NODE_1)],
        }),
      },
    ],
  }),
];

const administrationSamples: readonly MessageSample[] = [
  sample('ConfigUpdateReq config', MessageCode.configUpdateReq, ConfigUpdateReq, {
    type: 'config',
    configData: ascii('<overlay/>'),
  }),
  sample('ConfigUpdateReq kind', MessageCode.configUpdateReq, ConfigUpdateReq, {
    type: 'kind',
    kinds: [ascii('<kind-block/>')],
  }),
  { name: 'ConfigUpdateAns', code: MessageCode.configUpdateAns, body: hexBytes('') },
  sample('Error_Not_Found', MessageCode.error, ErrorResponse, {
    errorCode: ErrorCode.Error_Not_Found,
    errorInfo: ascii('nobody here'),
  }),
  sample('Error_Unknown_Kind', MessageCode.error, ErrorResponse, {
    errorCode: ErrorCode.Error_Unknown_Kind,
    errorInfo: encode(UnknownKinds, { kinds: [5, 0xf0000001] }),
  }),
  sample('Error_Generation_Counter_Too_Low', MessageCode.error, ErrorResponse, {
    errorCode: ErrorCode.Error_Generation_Counter_Too_Low,
    errorInfo: encode(StoreAns, {
      kindResponses: [{ kind: 2, generationCounter: 9n, replicas: [] }],
    }),
  }),
];

export const messageSamples: readonly MessageSample[] = [
  ...topologySamples,
  ...attachSamples,
  ...storageSamples,
  ...dictionarySamples,
  ...administrationSamples,
];
