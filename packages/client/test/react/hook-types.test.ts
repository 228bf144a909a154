import { useEvent, useLatest, useStream, type StreamHandle } from '@millrace/client/react'
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

test('what a hook gives follows the event map', () => {
  expectTypeOf(Component).returns.toBeVoid()
})
