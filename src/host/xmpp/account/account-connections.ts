import type { AccountInput, AccountOutput } from '../../../xmpp/account/account-events.ts';
import type { ServerEncryption } from './server-address.ts';
import { ServerSocket, type ServerSocketOptions } from './server-socket.ts';

/** Where the account's server is, and how it is recognised. */
export interface AccountPlace
  extends Pick<ServerSocketOptions, 'account' | 'server' | 'port' | 'caCertificates' | 'resolve'> {
  readonly encryption: ServerEncryption;
  readonly connectMs: number;
}

/** The connections to the server of the user's account, one after another. */
export class AccountConnections {
  private readonly place: AccountPlace;
  private readonly clientCertificate: () => ServerSocketOptions['clientCertificate'];
  private readonly deliver: (input: AccountInput) => void;
  private connection = 0;
  private socket: ServerSocket | undefined;

  /** `clientCertificate`: what is shown to the server from now on. */
  constructor(
    place: AccountPlace,
    clientCertificate: () => ServerSocketOptions['clientCertificate'],
    deliver: (input: AccountInput) => void,
  ) {
    this.place = place;
    this.clientCertificate = clientCertificate;
    this.deliver = deliver;
  }

  perform(output: AccountOutput): void {
    if (output.action === 'connect') return this.connect(output.connection);
    if (output.connection !== this.connection) return;
    if (output.action === 'send') this.socket?.send(output.bytes);
    else if (output.action === 'startTls') this.socket?.startTls();
    else this.socket?.close();
  }

  close(): void {
    this.socket?.close();
  }

  private connect(connection: number): void {
    this.socket?.close();
    this.connection = connection;
    const options = { ...this.place, clientCertificate: this.clientCertificate() };
    const tell = (input: AccountInput) => {
      if (this.connection === connection) this.deliver(input);
    };
    const socket = new ServerSocket(options, {
      connected: (tls) => tell({ connection, event: 'connected', tls }),
      tlsUp: (tls) => tell({ connection, event: 'tlsUp', tls }),
      data: (bytes) => tell({ connection, event: 'data', bytes }),
      drained: (pendingBytes) => tell({ connection, event: 'drained', pendingBytes }),
      closed: (failure) => tell({ connection, event: 'closed', failure }),
    });
    this.socket = socket;
    void socket.connect();
  }
}
