metadata description = '''
The code package, apart from everything that the running app can write: an account and an identity of its own. What publishes
goes through the platform, which reads and writes the package with this identity; the identity that the app runs as has no role
here. The account has the code alone, so it stays reachable with Entra tokens, where the app has a private network as well.
'''

import { tagsType } from 'types.bicep'

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Redundancy.')
@allowed(['Standard_LRS', 'Standard_ZRS'])
param skuName string

@description('Container of the package.')
param container string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: skuName
  }
  properties: {
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    publicNetworkAccess: 'Enabled'
  }

  resource blobService 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: {
        enabled: true
        days: 7
      }
    }

    resource packages 'containers' = {
      name: container
      properties: {
        publicAccess: 'None'
      }
    }
  }
}
