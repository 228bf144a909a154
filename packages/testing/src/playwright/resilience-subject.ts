import type { FaultServer } from '../faults/fault-server.ts'

/** What is used of a Playwright `Page`. */
export interface PageLike<P> {
  goto(url: string): Promise<unknown>
  reload(): Promise<unknown>
  close(): Promise<unknown>
  url(): string
  context(): { newPage(): Promise<P>; setOffline(isOffline: boolean): Promise<void> }
}

/** A page that shows what a stream brings, and the server behind it. */
export interface ResilienceSubject<P extends PageLike<P>> {
  /** Loaded from `proxy.origin`, its stream too, and the only page that is. Its context must be one that outlives it. */
  readonly page: P
  /** A fault server with the server as its upstream. */
  readonly proxy: FaultServer
  /**
   * Makes the server send an event that carries the label, to this page among others. It asks the server itself, past the
   * proxy, which is offline at times.
   */
  publish(label: string): Promise<unknown>
  /** What the page shows, oldest first. Labels are looked for in these texts; other texts do not count. */
  received(page: P): Promise<readonly string[]>
  /** How many streams the server holds open, where it can tell: what a page leaves behind is found by it. @default not looked at */
  readonly serverStreams?: (() => number | Promise<number>) | undefined
  /** Whether the page is owed what was published while its connection was down. @default true */
  readonly replays?: boolean | undefined
  /** Whether the page is owed what was published while it was reloaded: it then keeps its last event id. @default false */
  readonly keepsIdOverReload?: boolean | undefined
  /**
   * The most that each step may take: that a stream is back, that an event has arrived. Milliseconds.
   *
   * @default 15000: browsers wait three seconds or more before they come back
   */
  readonly withinMs?: number | undefined
}
