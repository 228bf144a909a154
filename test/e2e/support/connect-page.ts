import { connect } from '@millrace/client'

const list = document.querySelector('ol')
const stream = connect('/events', { topics: ['a'], persist: true, minDelayMs: 50, parse: (text) => text })

stream.on('message', ({ data }) => list?.append(Object.assign(document.createElement('li'), { textContent: data })))
stream.onStatus(({ name }) => (document.title = name))
