// A process that listens on the given socket until it is killed. It leaves the same socket file behind as a killed broker.
import { createServer } from 'node:net'

createServer().listen(process.argv[2], () => process.send?.('listening'))
