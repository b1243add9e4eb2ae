/** How far a stream to a server has come; each step but `open` must end in time. */
export type Step =
  | 'header'
  | 'features'
  | 'proceed'
  | 'tls'
  | 'login'
  | 'resume'
  | 'bind'
  | 'open'
  | 'over';

/** What a server has not done that took too long: "… has not opened its stream". */
export const AWAITED: Readonly<Record<Step, string>> = {
  header: 'opened its stream',
  features: 'said what it offers',
  proceed: 'answered the request for TLS',
  tls: 'finished the TLS handshake',
  login: 'gone on with the login',
  resume: 'resumed the session',
  bind: 'bound a resource',
  open: 'spoken',
  over: 'spoken',
};
