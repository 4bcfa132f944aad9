import { readFileSync } from 'node:fs'

export const schema = readFileSync('typeorm/offers.sql', 'utf8')
