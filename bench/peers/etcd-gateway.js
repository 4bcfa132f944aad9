import { serve } from '../../dist/bench/serve.js'

// The gateway itself, which is asked without a server in front of it. Its CPU time is not known here.
const url = process.env.ETCD_URL
if (url === undefined) throw new Error('ETCD_URL must be the address of etcd. `npm run with-engines` starts one.')
serve(url.split(',')[0], () => process.exit(), null)
