import { constants, createGzip, type Gzip } from 'node:zlib'

/** Compresses a body on its way. */
export class GzipBody {
  readonly #gzip: Gzip
  #out: Buffer[] = []

  /** @param flush `each` lets every write out at once; `never` waits for a full block, as careless middleware does. */
  constructor(flush: 'each' | 'never') {
    this.#gzip = createGzip({ flush: flush === 'each' ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH })
    this.#gzip.on('data', (bytes: Buffer) => this.#out.push(bytes))
  }

  /** What there is to send after these bytes were taken in. */
  async push(bytes: Uint8Array): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#gzip.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
    return this.#take()
  }

  async finish(): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#gzip.once('end', resolve).once('error', reject).end()
    })
    return this.#take()
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#out)
    this.#out = []
    return bytes
  }
}
