import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { createHub } from '@millrace/server'
import { sqlite } from '@millrace/sqlite'
import { expect, onTestFinished, test, vi } from 'vitest'

test('a thread that has ended is told once, as the end that it is, and nothing is taken for stored', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-thread-'))
  const unref = vi.spyOn(Worker.prototype, 'unref')
  const backend = sqlite(join(folder, 'log.db'))
  const thread = unref.mock.contexts.at(-1) as Worker
  unref.mockRestore()
  const told: [context: string, message: string][] = []
  const hub = createHub({ backend, onError: (error, context) => told.push([context, (error as Error).message]) })
  onTestFinished(async () => {
    await hub.close({ drainMs: 0 })
    rmSync(folder, { recursive: true, force: true })
  })
  await hub.ready()
  await hub.publish({ topic: 'a', data: 1 })
  const pending = hub.publish({ topic: 'a', data: 2 }).then(
    () => 'stored',
    (error: { code: string }) => error.code,
  )
  await thread.terminate()
  // It may have been stored before.
  expect(['stored', 'unavailable']).toContain(await pending)
  for (let i = 0; i < 3; i++)
    await expect(hub.publish({ topic: 'a', data: 3 })).rejects.toMatchObject({ code: 'closed' })
  const message = 'The thread of the event log has ended. Restart the process.'
  expect(told.filter(([context]) => context === 'following the event log')).toEqual([
    ['following the event log', message],
  ])
  expect(hub.stats().isFollowing).toBe(false)
})
