import type { World } from './world.ts'

/** One thing that an `EventSource` does, tried by a script of the server; it throws when it is not so. */
export interface ConformanceCase {
  /** A sentence. */
  readonly name: string
  /** The files of web-platform-tests' `eventsource/` that ask for it. None where it is beyond them. */
  readonly wpt: readonly string[]
  /** Also holds for a browser's own class, which proves the case; or why it does not. @default true */
  readonly native?: boolean | string
  /** Browsers whose own class does not do it, though it is the standard's. */
  readonly nativeFault?: Readonly<Partial<Record<'chromium' | 'firefox', string>>>
  /** What a runtime has to have: a base for relative URLs, such as a page has. */
  readonly needs?: 'base'
  run(world: World): Promise<void> | void
}
