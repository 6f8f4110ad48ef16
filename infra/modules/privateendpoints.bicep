metadata description = 'Private endpoints, their DNS zones, and the link of the zones to the network.'

import { tagsType } from 'types.bicep'

@description('Network that resolves the zones; null where your own zones are used, or are linked by you.')
param vnetId string?

@description('Resource group that has the zones; null to make them here.')
param zonesGroup string?

@description('Subnet of the endpoints.')
param subnetId string

@description('What to reach privately.')
param endpoints endpointType[]

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

type endpointType = {
  @description('Name of the endpoint.')
  name: string

  @description('Resource that it stands for.')
  targetId: string

  @description('Part of the resource: blob, queue, table, namespace ...')
  groupId: string

  @description('Private DNS zone of that part.')
  zone: string
}

// Service Bus and Event Hubs share a zone: each name once.
var zoneNames = union(map(endpoints, endpoint => endpoint.zone), [])

var zonesScope = zonesGroup == null ? resourceGroup().id : '${subscription().id}/resourceGroups/${zonesGroup!}'

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zoneName in zonesGroup == null ? zoneNames : []: {
    name: zoneName
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zoneName, i) in zonesGroup == null && vnetId != null ? zoneNames : []: {
    parent: zone[i]
    name: 'link-${uniqueString(vnetId!)}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: vnetId!
      }
    }
  }
]

resource privateEndpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = [
  for endpoint in endpoints: {
    name: endpoint.name
    location: location
    tags: tags
    properties: {
      subnet: {
        id: subnetId
      }
      privateLinkServiceConnections: [
        {
          name: endpoint.name
          properties: {
            privateLinkServiceId: endpoint.targetId
            groupIds: [endpoint.groupId]
          }
        }
      ]
    }
  }
]

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [
  for (endpoint, i) in endpoints: {
    parent: privateEndpoint[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: replace(endpoint.zone, '.', '-')
          properties: {
            privateDnsZoneId: '${zonesScope}/providers/Microsoft.Network/privateDnsZones/${endpoint.zone}'
          }
        }
      ]
    }
    dependsOn: [
      zone
    ]
  }
]
