// A process that listens on the socket given and waits to be killed: what it leaves behind is what a broker leaves.
import { createServer } from 'node:net'

createServer().listen(process.argv[2], () => process.send?.('listening'))
