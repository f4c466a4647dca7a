// Reads a file of JUnit's XML as Allure does, and prints the results as JSON.
import { junitXml } from "@allurereport/reader";
import { PathResultFile } from "@allurereport/reader-api";

const results = [];
const visitor = { visitTestResult: async (result) => results.push(result), visitAttachmentFile: async () => {} };
const read = await junitXml.read(visitor, new PathResultFile(process.argv[2]));
console.log(JSON.stringify(read ? results : null));
