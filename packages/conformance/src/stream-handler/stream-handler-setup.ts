/** What is spoken to the handler: `http/1.0` as old proxies do, `http/2` without TLS. */
export type Wire = 'http/1.0' | 'http/1.1' | 'http/2'

/** A server on this machine whose handler is under test, with no stream open at first. */
export interface ServedStreams {
  /** Where it listens on 127.0.0.1. */
  readonly port: number
  /** The request target that opens a stream of every event, from now on. */
  readonly path: string
  /** A request target that is answered whole, with a `Content-Length`. */
  readonly otherPath: string
  /** Sends one event with this data to every open stream. */
  publish(data: string): void | Promise<void>
  /** Ends every open stream after what was published before. What is published later may be refused. */
  endStreams(): void | Promise<void>
  /** How many streams the handler holds. */
  openCount(): number | Promise<number>
  /** Stops the server and frees its port. */
  close(): Promise<void>
}

/**
 * What not every handler or test has.
 * - `endStreams`: streams are ended by the server.
 * - `largeBacklog`: a slow client is waited for, with as much as it has missed.
 * - `ownConnection`: the handler decides what becomes of a connection, and says so; on many platforms it cannot.
 * - `pipelining`: a request may wait behind a stream on the same connection.
 * - `concurrentPipelining`: it is even begun with before the stream has ended.
 */
export type StreamHandlerFeature =
  | 'endStreams'
  | 'largeBacklog'
  | 'ownConnection'
  | 'pipelining'
  | 'concurrentPipelining'

/** A handler that serves streams, presented to the suite. */
export interface StreamHandlerSetup {
  /** Used in messages, such as `express with compression`. */
  readonly name: string
  readonly wire: Wire
  /** Starts a server of its own for a case. The suite closes it. */
  start(): Promise<ServedStreams>
  /** Features that it does not have, each with the reason; their cases become exceptions. @default none */
  readonly exceptions?: Partial<Readonly<Record<StreamHandlerFeature, string>>>
  /** How long a case waits for something that must happen. Milliseconds, 1 or more. @default 5000 */
  readonly timeoutMs?: number
  /** How many clients come and go in the case of many. 1 or more. @default 300 */
  readonly comingCount?: number
}
