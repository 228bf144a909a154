/** A page of React components with streams, as the tests of the hooks turn it about by `setView`. */
import { streamHook, useEvent, useLatest, useStream, type UseStreamOptions } from '@millrace/client/react'
import { Component, StrictMode, useState, type ReactNode } from 'react'

type Events = { readonly tick: { readonly n: number } }

export interface View {
  /** How many lists of ticks there are; each has hooks of its own. */
  readonly lists: number
  readonly topics: readonly string[]
  /** False: nobody is signed in. */
  readonly url: string | false
  /** What is shown of a number: so many times it. */
  readonly factor: number
  /** Another page of the application, with one list. */
  readonly route: 'home' | 'other'
}

export const START: View = { lists: 1, topics: ['a.*'], url: '/events', factor: 1, route: 'home' }

/** The topics and the latest number of each rendering, for the test to look at. */
const rendered: string[] = Object.assign(globalThis, { rendered: [] as string[] }).rendered

/** Short, so that tests need not wait for it; long beside a change of pages. */
const useShortLivedStream = streamHook({ graceMs: 300 })

export function App({ view: start = START }: { readonly view?: View }): ReactNode {
  const [view, setView] = useState(start)
  Object.assign(globalThis, { setView: (change: Partial<View>) => setView((now) => ({ ...now, ...change })) })
  const { route, lists } = view
  return (
    <StrictMode>
      <Boundary>
        {route === 'home' ? (
          Array.from({ length: lists }, (_, i) => <Ticks key={i} view={view} />)
        ) : (
          <main>
            <Ticks view={view} />
          </main>
        )}
      </Boundary>
    </StrictMode>
  )
}

class Boundary extends Component<{ readonly children: ReactNode }, { readonly error?: Error }> {
  override state: { readonly error?: Error } = {}

  static getDerivedStateFromError(error: Error): { readonly error: Error } {
    return { error }
  }

  override render(): ReactNode {
    return this.state.error ? <section>{this.state.error.message}</section> : this.props.children
  }
}

function Ticks({ view: { url, topics, factor } }: { readonly view: View }): ReactNode {
  // Written in place, as everybody does: a new object and new functions each time.
  const options: UseStreamOptions = { topics: [...topics], onError: () => {}, minDelayMs: 50 }
  const ticks = useShortLivedStream<Events>(url, options)
  const [seen, setSeen] = useState<readonly number[]>([])
  useEvent(ticks, 'tick', ({ data }) => setSeen((before) => [...before, data.n * factor]))
  const latest = useLatest(ticks, 'tick')
  rendered.push(`${topics.join()} ${latest?.data.n ?? 'none'}`)
  const ofX = useLatest(ticks, 'tick', { topic: 'a.x' })
  return (
    <section>
      <b>{ticks.status.name}</b> <i>{seen.join(' ')}</i> <u>{latest?.data.n ?? 'none'}</u>{' '}
      <s>{ofX?.data.n ?? 'none'}</s>
      <button type="button" onClick={ticks.restart}>
        Again
      </button>
    </section>
  )
}

/** The hook with its own grace is one more user of the default one: both are in the bundle. */
export const defaultHook: unknown = useStream
