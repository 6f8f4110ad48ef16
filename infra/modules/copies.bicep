metadata description = '''
The daily copies of the ledger, in an account of their own and, if wanted, in another region, so that they are not lost with the
account of the ledger. Blobs, versions and the container that are deleted can be had back for 30 days, and the app, whose right
is on the container alone, cannot change that.
'''

import { tagsType } from 'types.bicep'

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Container of the copies.')
param container string

@description('Days that a copy is kept.')
@minValue(7)
param keptDays int

@description('The subnet that alone may reach the account; empty for public addresses.')
param subnetId string

@description('Workspace of the diagnostic settings.')
param workspaceId string

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
    name: 'Standard_LRS'
  }
  properties: {
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      defaultAction: empty(subnetId) ? 'Allow' : 'Deny'
      bypass: 'None'
      virtualNetworkRules: empty(subnetId)
        ? []
        : [
            {
              id: subnetId
              action: 'Allow'
            }
          ]
    }
  }

  resource blobService 'blobServices' = {
    name: 'default'
    properties: {
      isVersioningEnabled: true
      deleteRetentionPolicy: {
        enabled: true
        days: 30
      }
      containerDeleteRetentionPolicy: {
        enabled: true
        days: 30
      }
    }

    resource copies 'containers' = {
      name: container
      properties: {
        publicAccess: 'None'
      }
    }
  }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'copies'
            enabled: true
            type: 'Lifecycle'
            definition: {
              filters: {
                blobTypes: ['blockBlob']
              }
              actions: {
                baseBlob: {
                  tierToCool: {
                    daysAfterModificationGreaterThan: 1
                  }
                  delete: {
                    daysAfterModificationGreaterThan: keptDays
                  }
                }
                version: {
                  delete: {
                    daysAfterCreationGreaterThan: 30
                  }
                }
              }
            }
          }
        ]
      }
    }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account::blobService
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageRead'
        enabled: true
      }
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}
