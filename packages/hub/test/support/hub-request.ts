import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'

export interface HubAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface HubRequest {
  readonly method?: string
  /** Every header may be set, `Host` too. */
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
}

/** Sends a request and reads its answer to the end. */
export function ask(url: string, { method = 'GET', headers = {}, body }: HubRequest = {}): Promise<HubAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    sent.on('error', reject).end(body)
  })
}
