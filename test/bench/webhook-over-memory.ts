// The webhook as its program starts it, but without an API server: look-ups are answered at once, in the same process. The
// rest is the webhook's own work.
import { readFileSync } from 'node:fs'
import { createLogger } from '#serving/log.ts'
import { readConfig } from '../../webhook/config.ts'
import type { Cluster, ObjectReference } from '../../webhook/kubernetes/cluster.ts'
import { startWebhook } from '../../webhook/webhook.ts'

const objects: ReadonlyMap<string, object> = new Map(
  Object.entries<object>(JSON.parse(readFileSync(process.env.OBJECTS_FILE ?? '', 'utf8'))),
)

const cluster: Cluster = {
  // A new object each time, as with a real answer.
  read: async ({ kind }: ObjectReference) => {
    const object = objects.get(kind)
    return object === undefined ? undefined : JSON.parse(JSON.stringify(object))
  },
  list: async () => ({ items: [], continue: undefined }),
  create: async (object) => object,
  replace: async (object) => object,
  apply: async (object) => object,
}

async function main(): Promise<void> {
  const read = readConfig(process.env)
  if (read.kind === 'problems') throw new Error(read.problems.join('\n'))
  const readVersion = async () => ({ major: 1, minor: 36 })
  await startWebhook(read.config, {
    cluster,
    readVersion,
    version: '0.0.0',
    log: createLogger('warn'),
  })
}

void main()
