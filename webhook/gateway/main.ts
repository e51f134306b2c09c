// The program of the gateway, in the webhook's image. The only file of gateway/ that reads the environment.
import { runProgram } from '#serving/program.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { GATEWAY } from '../contract.ts'
import { connectCluster } from '../kubernetes/api-server.ts'
import { readConfig, VARIABLES } from './config.ts'
import { startGateway } from './gateway.ts'

const { version } = packageJson

void runProgram(
  {
    name: 'gateway',
    purpose: 'Serves the metrics of all MiniClusters of a cluster, beside any other adapter.',
    version,
    variables: VARIABLES,
    readConfig,
    start: async (config, log) => {
      const cluster = connectCluster(config.kubeconfig, `${GATEWAY}/${version}`)
      return startGateway(config, { cluster, version, log })
    },
  },
  process.env,
)
