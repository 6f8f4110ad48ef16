metadata description = '''
A Data Factory that copies tables of Dataverse into files, with an identity of its own and no secret: `initial-load` copies a
table as it is, `daily-extract` what has changed within a day. For analytics: it sends no events, and sees no deletions.
'''

import { dataFactoryType, tagsType } from 'types.bicep'

@description('Name of the factory.')
@minLength(3)
@maxLength(63)
param name string

@description('What to copy.')
param extract dataFactoryType

@description('Environment URL of Dataverse.')
param dataverseUrl string

@description('Resource id of the identity, which is an application user of Dataverse.')
param identityId string

@description('Storage account of the files.')
param storageAccountName string

@description('Container of the files.')
param container string

@description('The account has no public address: reach it by a private endpoint of the factory, which somebody has to approve.')
param isPrivate bool

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

var runtimeName = 'private'

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName
}

resource factory 'Microsoft.DataFactory/factories@2018-06-01' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    // People and deployments reach it with Entra tokens.
    publicNetworkAccess: 'Enabled'
  }

  resource credential 'credentials' = {
    name: 'identity'
    properties: {
      type: 'ManagedIdentity'
      typeProperties: {
        resourceId: identityId
      }
    }
  }
}

resource managedNetwork 'Microsoft.DataFactory/factories/managedVirtualNetworks@2018-06-01' = if (isPrivate) {
  parent: factory
  name: 'default'
  properties: {}

  resource blobs 'managedPrivateEndpoints' = {
    name: 'blobs'
    properties: {
      privateLinkResourceId: account.id
      groupId: 'blob'
    }
  }
}

resource runtime 'Microsoft.DataFactory/factories/integrationRuntimes@2018-06-01' = if (isPrivate) {
  parent: factory
  name: runtimeName
  properties: {
    type: 'Managed'
    managedVirtualNetwork: {
      type: 'ManagedVirtualNetworkReference'
      referenceName: 'default'
    }
    typeProperties: {
      computeProperties: {
        location: 'AutoResolve'
      }
    }
  }
  dependsOn: [
    managedNetwork
  ]
}

var connectVia = isPrivate
  ? {
      type: 'IntegrationRuntimeReference'
      referenceName: runtimeName
    }
  : null

resource dataverse 'Microsoft.DataFactory/factories/linkedservices@2018-06-01' = {
  parent: factory
  name: 'dataverse'
  properties: {
    type: 'Dynamics'
    connectVia: connectVia
    typeProperties: {
      deploymentType: 'Online'
      serviceUri: dataverseUrl
      authenticationType: 'ManagedIdentity'
      credential: {
        type: 'CredentialReference'
        referenceName: factory::credential.name
      }
    }
  }
  dependsOn: [
    runtime
  ]
}

resource files 'Microsoft.DataFactory/factories/linkedservices@2018-06-01' = {
  parent: factory
  name: 'files'
  properties: {
    type: 'AzureBlobStorage'
    connectVia: connectVia
    typeProperties: {
      serviceEndpoint: account.properties.primaryEndpoints.blob
      accountKind: 'StorageV2'
      credential: {
        type: 'CredentialReference'
        referenceName: factory::credential.name
      }
    }
  }
  dependsOn: [
    runtime
  ]
}

resource rows 'Microsoft.DataFactory/factories/datasets@2018-06-01' = {
  parent: factory
  name: 'rows'
  properties: {
    type: 'DynamicsEntity'
    linkedServiceName: {
      type: 'LinkedServiceReference'
      referenceName: dataverse.name
    }
    parameters: {
      table: {
        type: 'String'
      }
    }
    typeProperties: {
      entityName: {
        type: 'Expression'
        value: '@dataset().table'
      }
    }
  }
}

resource folder 'Microsoft.DataFactory/factories/datasets@2018-06-01' = {
  parent: factory
  name: 'folder'
  properties: {
    type: 'Parquet'
    linkedServiceName: {
      type: 'LinkedServiceReference'
      referenceName: files.name
    }
    parameters: {
      path: {
        type: 'String'
      }
    }
    typeProperties: {
      compressionCodec: 'snappy'
      location: {
        type: 'AzureBlobStorageLocation'
        container: container
        folderPath: {
          type: 'Expression'
          value: '@dataset().path'
        }
      }
    }
  }
}

// `filter` is FetchXML. Rows of a day have a folder of that day: whoever reads it twice reads the same.
var pipelines = [
  {
    name: 'initial-load'
    about: 'Copies whole tables, those that are given or all.'
    parameters: {
      tables: {
        type: 'Array'
        defaultValue: extract.tables
      }
    }
    filter: ''
    path: '@concat(item(), \'/initial/\', pipeline().RunId)'
  }
  {
    name: 'daily-extract'
    about: 'Copies the rows that changed within a window of time.'
    parameters: {
      tables: {
        type: 'Array'
        defaultValue: extract.tables
      }
      from: {
        type: 'String'
      }
      to: {
        type: 'String'
      }
    }
    filter: '<filter><condition attribute="modifiedon" operator="ge" value="@{pipeline().parameters.from}"/><condition attribute="modifiedon" operator="lt" value="@{pipeline().parameters.to}"/></filter>'
    path: '@concat(item(), \'/daily/\', formatDateTime(pipeline().parameters.from, \'yyyy-MM-dd\'))'
  }
]

resource pipeline 'Microsoft.DataFactory/factories/pipelines@2018-06-01' = [
  for it in pipelines: {
    parent: factory
    name: it.name
    properties: {
      description: it.about
      // One run at a time: Dataverse serves the events of people first.
      concurrency: 1
      parameters: it.parameters
      activities: [
        {
          name: 'each table'
          type: 'ForEach'
          typeProperties: {
            isSequential: true
            items: {
              type: 'Expression'
              value: '@pipeline().parameters.tables'
            }
            activities: [
              {
                name: 'copy'
                type: 'Copy'
                policy: {
                  timeout: '0.12:00:00'
                  retry: 2
                  retryIntervalInSeconds: 300
                }
                inputs: [
                  {
                    type: 'DatasetReference'
                    referenceName: rows.name
                    parameters: {
                      table: '@item()'
                    }
                  }
                ]
                outputs: [
                  {
                    type: 'DatasetReference'
                    referenceName: folder.name
                    parameters: {
                      path: it.path
                    }
                  }
                ]
                typeProperties: {
                  parallelCopies: 1
                  source: {
                    type: 'DynamicsSource'
                    query: '<fetch><entity name="@{item()}"><all-attributes/>${it.filter}</entity></fetch>'
                  }
                  sink: {
                    type: 'ParquetSink'
                    storeSettings: {
                      type: 'AzureBlobStorageWriteSettings'
                    }
                  }
                }
              }
            ]
          }
        }
      ]
    }
  }
]

// Azure refuses to change a trigger that runs, so a deployment leaves alone what is there. It is made stopped.
@onlyIfNotExists()
resource daily 'Microsoft.DataFactory/factories/triggers@2018-06-01' = {
  parent: factory
  name: 'daily'
  properties: {
    type: 'TumblingWindowTrigger'
    pipeline: {
      pipelineReference: {
        type: 'PipelineReference'
        referenceName: pipeline[1].name
      }
      parameters: {
        from: '@formatDateTime(trigger().outputs.windowStartTime, \'yyyy-MM-ddTHH:mm:ssZ\')'
        to: '@formatDateTime(trigger().outputs.windowEndTime, \'yyyy-MM-ddTHH:mm:ssZ\')'
      }
    }
    typeProperties: {
      frequency: 'Hour'
      interval: 24
      startTime: '${extract.firstDay}T00:00:00Z'
      // Rows of the last minutes of a day are still on their way.
      delay: '00:30:00'
      maxConcurrency: 1
      retryPolicy: {
        count: 3
        intervalInSeconds: 1800
      }
    }
  }
}
