import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EventSource } from '@millrace/client'
import { allCases, runCase, titleOf } from './conformance/all-cases.ts'
import { startScriptServer, type ScriptServer } from './conformance/server.ts'

describe('EventSource on Node', () => {
  let server: ScriptServer
  beforeAll(async () => {
    server = await startScriptServer()
  })
  afterAll(() => server.close())

  // A program has no base for relative URLs.
  const cases = allCases.filter(({ needs }) => needs !== 'base').map((each) => ({ title: titleOf(each), each }))
  test.concurrent.each(cases)('$title', async ({ each }) => {
    expect(await runCase(EventSource, server.origin, each)).toBe('passed')
  })
})
