import { connect } from '@millrace/client'

const stream = connect('/events', { topics: ['stocks.AAPL'], share: true })

stream.onStatus(() => console.log(stream.status.name, stream.diagnostics().sharing))
