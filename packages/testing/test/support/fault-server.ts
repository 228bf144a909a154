import { startFaultServer, type FaultServer, type FaultServerOptions } from '@millrace/testing'
import { onTestFinished } from 'vitest'

/** Starts a fault server that is closed when the test is over. */
export async function faultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const server = await startFaultServer(options)
  onTestFinished(() => server.close())
  return server
}
