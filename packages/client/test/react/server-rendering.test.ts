import { streamHook, useEvent, useLatest, useStream } from '@millrace/client/react'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, test, vi } from 'vitest'
import { fakeConnect, ManualClock } from './support/fake-stream.ts'

type Events = { readonly tick: { readonly price: number } }

test('rendering on a server opens nothing, starts no timer, and writes no warning', () => {
  const { connect, opened } = fakeConnect()
  const clock = new ManualClock()
  const useOwnStream = streamHook({ connect, clock })
  const warnings = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  function Page() {
    const stream = useOwnStream<Events>('/events', { topics: ['a'] })
    const idle = useOwnStream<Events>(false)
    useEvent(stream, 'tick', () => {})
    const tick = useLatest(stream, 'tick')
    return `${stream.status.name} ${idle.status.name} ${tick?.data.price ?? 'none'}`
  }
  expect(renderToString(createElement(Page))).toBe('connecting idle none')
  expect(opened).toEqual([])
  expect(clock.timerCount).toBe(0)
  expect(warnings).not.toHaveBeenCalled()
  warnings.mockRestore()
})

test('a relative URL is none of a server’s business, and a bad one is told in the browser', () => {
  function Page() {
    return useStream('::').status.name
  }
  expect(renderToString(createElement(Page))).toBe('connecting')
})
