import { connect } from '@millrace/client'

let token: string | undefined

connect('https://hub.example/events', {
  topics: ['@me'],
  async authorize({ isRefused, signal }) {
    if (token === undefined || isRefused) {
      const response = await fetch('/session/token', { method: 'POST', signal })
      token = ((await response.json()) as { token: string }).token
    }
    return { headers: { authorization: `Bearer ${token}` } }
  },
})
