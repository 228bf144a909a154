import { expect, test } from 'vitest'
import { request, startScene } from './support/hub-scene.ts'

test('values that are too much for one answer are refused, and say what to do', async () => {
  const { hub, publish } = await startScene({}, [{ match: 's.>', kind: 'state' }])
  for (let i = 0; i < 280; i++) await publish(`s.${i}`, 'x'.repeat(60_000))
  const polling = hub.poll(request('s.>'), { waitMs: 0, wantsAllValues: false })
  await expect(polling).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('more than 16777216 bytes of data. Ask for fewer topics'),
  })
})
