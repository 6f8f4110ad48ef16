metadata description = '''
Key Vault for what cannot be an identity: the keys of the intake and of operations, the credentials for ERP and credit scoring.
It stays reachable in the private network option as well: Key Vault references of Flex Consumption are documented not to
resolve against a vault with network restrictions. Only Entra tokens with a role open it.
'''

import { tagsType } from 'types.bicep'

@description('Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Nobody can purge deleted secrets before their time; cannot be taken back.')
param purgeProtection bool

@description('Workspace of the diagnostic settings.')
param workspaceId string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    // Cannot be changed later, so it is the same whether or not purge protection comes one day.
    softDeleteRetentionInDays: 90
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: 'Enabled'
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

@description('Name of the vault.')
output name string = vault.name
