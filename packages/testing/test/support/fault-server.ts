import { startFaultServer, type FaultServer, type FaultServerOptions, type Script } from '@millrace/testing'
import { onTestFinished } from 'vitest'
import { askRaw, type RawAnswer } from './raw-answer.ts'

/** Starts a fault server that is closed when the test is over. */
export async function faultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const server = await startFaultServer(options)
  onTestFinished(() => server.close())
  return server
}

/** What a server with this one script answers. */
export async function answerOf(
  script: Script,
  headers: readonly string[] = [],
  requestLine?: string,
): Promise<RawAnswer> {
  const server = await faultServer({ scripts: [script] })
  return askRaw(server.origin, headers, requestLine)
}
