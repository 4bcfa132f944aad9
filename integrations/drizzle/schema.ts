import { readFileSync } from 'node:fs'

export const schema = readFileSync('drizzle/offers.sql', 'utf8')
