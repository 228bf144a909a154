import type { AnyStream, StreamStatus } from '@millrace/client'
import { useEvent, useLatest, useStream, type AnyStreamHandle, type StreamHandle } from '@millrace/client/react'
import { expectTypeOf, test } from 'vitest'

type Events = { tick: { price: number }; alert: { text: string } }

/** Is never rendered: `npm run check` reads its types. */
function Component(): void {
  const stream = useStream<Events>('/events')
  expectTypeOf(stream).toEqualTypeOf<StreamHandle<Events>>()
  expectTypeOf(useLatest(stream, 'tick')?.data).toEqualTypeOf<{ price: number } | undefined>()
  useEvent(stream, 'alert', (event) => {
    expectTypeOf(event.type).toEqualTypeOf<'alert'>()
    expectTypeOf(event.data).toEqualTypeOf<{ text: string }>()
  })
  useEvent(stream, '*', (event) => {
    expectTypeOf(event.type).toEqualTypeOf<'tick' | 'alert'>()
    if (event.type === 'tick') expectTypeOf(event.data.price).toEqualTypeOf<number>()
  })
  useEvent(stream, 'stream:caught-up', ({ data }) => expectTypeOf(data.replayed).toEqualTypeOf<number>())
  expectTypeOf(useLatest<Events, 'tick'>)
    .parameter(1)
    .toEqualTypeOf<'tick'>()
  expectTypeOf<'tock'>().not.toExtend<Parameters<typeof useLatest<Events, 'tick' | 'alert' | '*'>>[1]>()
}

interface Chat {
  said: { text: string }
}

/** Shows any stream, whatever its events are. */
function Connection({ stream: { status, stream, restart } }: { stream: AnyStreamHandle }): string {
  expectTypeOf(status).toEqualTypeOf<StreamStatus | { readonly name: 'idle' }>()
  expectTypeOf(stream).toEqualTypeOf<AnyStream | undefined>()
  if (status.name === 'failed') restart()
  return `${status.name} ${stream?.diagnostics().eventCount ?? 0}`
}

/** Has an interface as its event map. Is never rendered. */
function ChatRoom(): void {
  const chat = useStream<Chat>('/events')
  expectTypeOf(useLatest(chat, 'said')?.data).toEqualTypeOf<{ text: string } | undefined>()
  useEvent(chat, 'said', ({ data }) => expectTypeOf(data.text).toEqualTypeOf<string>())
  // @ts-expect-error no such type
  useEvent(chat, 'sung', () => {})
  Connection({ stream: chat })
  Connection({ stream: useStream<Events>('/events') })
  Connection({ stream: useStream('/events') })
}

/** Has no event map. Is never rendered. */
function Untyped(): void {
  const stream = useStream('/events')
  expectTypeOf(useLatest(stream, 'tick')?.data).toEqualTypeOf<unknown>()
  useEvent(stream, 'message', (event) => expectTypeOf(event.type).toEqualTypeOf<'message'>())
}

test('what a hook gives follows the event map', () => {
  for (const component of [Component, ChatRoom, Untyped]) expectTypeOf(component).returns.toBeVoid()
})
